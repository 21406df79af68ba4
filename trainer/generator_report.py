"""The process that measures a generator: the model that writes and the candidate answer the same cases."""

import os
import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aion_assets.core.answer.prompt import fitted
from aion_assets.core.answer.reasoning import without_reasoning
from aion_assets.core.errors import GeneratorError, TrainingDataError
from aion_assets.core.home import Home
from aion_assets.core.learn.generator_cases import Case, scores
from aion_assets.core.learn.generator_gate import Answered
from aion_assets.core.release.releases import read_model_release, read_release
from aion_assets.core.search.weights import TermWeights
from aion_assets.core.steps.candidate import open_retriever
from aion_assets.core.steps.generator_report import generator_cases, weighed_texts
from aion_assets.core.steps.report import ShowProgress
from trainer.adapters import adapter_folder
from trainer.base_model import load_base_model
from trainer.embedder import embedder_of
from trainer.generation import End, Ended, Limits, Piece
from trainer.generator import Generator

# Answers under way at once: they are decoded together.
_AT_ONCE = 8
# Nobody waits for these answers, and a busy machine should not cut them.
_TIMEOUT_S = 900.0


def measure_generator(home: Home, request: dict[str, Any], show: ShowProgress) -> dict[str, Any]:
    """`request` is {release_id, candidate}. The result is {before, after}: of each case what its answer is worth.

    Raises AdapterError: one of the two is not there, or is refused. TrainingDataError: there is nothing to ask.
    """
    import torch

    settings, release = home.settings, read_release(home.database, request["release_id"])
    cases = generator_cases(home, open_retriever(home, release, release.models, embedder_of(home, release.models)))
    if not cases:
        raise TrainingDataError("Nothing measures a generator yet.", "Ask AION, or name golden questions.")
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    generator = Generator(load_base_model(settings.base_model, in_4bit=settings.load_in_4bit))
    limits = Limits(max_new_tokens=settings.max_new_tokens, temperature=0.0, timeout_s=_TIMEOUT_S)
    sides = {"before": release.models, "after": read_model_release(home.database, request["candidate"])}
    found: dict[str, Any] = {}
    try:
        for number, (side, models) in enumerate(sides.items()):
            generator.use_adapter(adapter_folder(settings.home / "adapters", models.generator_adapter))
            done = partial(_show, show, number * len(cases), 2 * len(cases))
            answered = ask_all(generator, cases, limits, done, settings.system_prompt)
            found[side] = {case_id: said.to_json() for case_id, said in answered.items()}
    finally:
        generator.close()
    return found


def _show(show: ShowProgress, before: int, total: int, count: int) -> None:
    show(before + count, total, "answers")


def ask_all(
    generator: Generator,
    cases: Sequence[Case],
    limits: Limits,
    done: Callable[[int], None] = lambda count: None,
    system: str = "",
) -> dict[str, Answered]:
    """What the answers to the cases are worth, by case. Raises GeneratorError: the model failed."""
    texts = weighed_texts(cases)
    weights = {language: TermWeights.of_texts(texts, language) for language in ("pt", "en")}
    answered: dict[str, Answered] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        written = pool.map(lambda case: _written(generator, case, limits, system), cases)
        for count, (case, (text, seconds, tokens)) in enumerate(zip(cases, written, strict=True), 1):
            found = scores(case, text, weights[case.language])
            answered[case.case_id] = Answered(found, round(seconds, 3), tokens, text)
            done(count)
    return answered


def _written(generator: Generator, case: Case, limits: Limits, system: str) -> tuple[str, float, int]:
    """The text without what the model thinks aloud, its seconds, and its tokens."""
    room = generator.base.context_tokens - limits.max_new_tokens
    prompt = fitted(case.prompt(system), lambda tried: generator.count_tokens(tried.messages) <= room)
    told: queue.SimpleQueue[Piece | End] = queue.SimpleQueue()
    started, pieces = time.monotonic(), list[str]()
    generator.start(prompt.messages, limits, told.put)
    while isinstance(heard := told.get(), Piece):
        pieces.append(heard.text)
    if heard.reason is Ended.FAILED:
        raise GeneratorError(f"The model failed: {heard.error}.", "The log of the run says more.")
    text = "".join(piece for piece in without_reasoning(iter(pieces)) if isinstance(piece, str))
    return text, time.monotonic() - started, heard.completion_tokens
