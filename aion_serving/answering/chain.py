"""Who answers: a correction that a curator approved for this question; else the model of one's own where the confidence
suffices; quotes where it does not, or the model fails.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from aion_assets.core.answer.engine import Engine, ExtractiveEngine, Task
from aion_assets.core.answer.extractive import Answer
from aion_assets.core.answer.generative import GenerativeEngine
from aion_assets.core.errors import GeneratorError
from aion_assets.core.settings import Settings
from aion_serving.answering.adapter_keeper import AdapterKeeper
from aion_serving.answering.curated import Curated
from aion_serving.providers.openai_chat import OpenAIChat, Sampling
from aion_serving.providers.workers import Worker, Workers

WORKER = "worker"  # what the record calls their provider, with the worker's name
_log = logging.getLogger(__name__)


class Chain:
    """`models` are asked in order. Quoting comes last and cannot fail."""

    def __init__(self, curated: Curated, models: Sequence[Engine]) -> None:
        self._curated = curated
        self._models = models
        self._last = ExtractiveEngine()

    def look(self) -> None:
        """See which workers are there, before a question has to find out."""
        for engine in self._models:
            if isinstance(engine, Workers):
                engine.look()

    def write(self, task: Task) -> Iterator[str | Answer]:
        """Pieces of the text, then the answer. Its `reason` says why models before the one that wrote it did not."""
        approved, expired = self._curated.answer(task)
        if approved is not None:
            yield approved.text
            yield approved
            return
        for piece in self._written(task):
            yield replace(piece, expired=expired) if isinstance(piece, Answer) else piece

    def _written(self, task: Task) -> Iterator[str | Answer]:
        reasons: list[str] = []
        able = self._models if task.retrieval.question.text and task.confidence >= task.tau else ()
        if able and not task.own_models:
            able, reasons = (), ["The models of one's own were left out, as was asked."]
        for engine in able:
            try:
                yield from engine.write(task)
                return
            except GeneratorError as error:
                _log.warning("The next engine answers: %s", error)
                reasons.append(error.what)
        for piece in self._last.write(task):
            yield replace(piece, reason=" ".join(reasons)) if isinstance(piece, Answer) else piece


def keepers_for(settings: Settings) -> Sequence[AdapterKeeper]:
    """One for each model server of one's own, and for each worker."""
    own = [AdapterKeeper(settings.llm_url, _key(settings))] if settings.llm_url else []
    return [*own, *(AdapterKeeper(url, settings.worker_token) for url in settings.gpu_workers)]


def chain_for(settings: Settings, curated: Curated) -> Chain:
    """The engines that the settings name. Asks none of them yet."""
    models: list[Engine] = []
    if settings.llm_url:
        sampling = _sampling(settings)
        own = OpenAIChat("local", settings.llm_url, sampling, model=settings.local_llm_model, key=_key(settings))
        models.append(_engine(settings, own))
    if workers := [_worker(settings, url) for url in settings.gpu_workers]:
        models.append(Workers(workers))
    return Chain(curated, models)


def _worker(settings: Settings, url: str) -> Worker:
    name = urlsplit(url).netloc
    model = OpenAIChat(f"{WORKER} {name}", url, _sampling(settings), key=settings.worker_token)
    return Worker(name, _engine(settings, model), model.is_alive)


def _engine(settings: Settings, model: OpenAIChat) -> Engine:
    return GenerativeEngine(
        model,
        system=settings.system_prompt,
        answer_tokens=settings.max_new_tokens,
        unsupported=settings.unsupported,
        passages=settings.max_passages,
    )


def _sampling(settings: Settings) -> Sampling:
    return Sampling(settings.max_new_tokens, settings.temperature, settings.top_p, settings.answer_timeout_s)


def _key(settings: Settings) -> str:
    return settings.local_llm_key or ("" if settings.local_llm_url else settings.worker_token)
