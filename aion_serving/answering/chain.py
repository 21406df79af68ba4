"""Who answers: a correction that a curator approved for this question; else the model of one's own where the confidence
suffices; quotes where it does not, or the model fails.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from aion_assets.core.answer.engine import Engine, ExtractiveEngine, Task
from aion_assets.core.answer.extractive import Answer
from aion_assets.core.answer.generative import GenerativeEngine
from aion_assets.core.errors import GeneratorError
from aion_assets.core.settings import Settings
from aion_serving.answering.adapter_keeper import AdapterKeeper
from aion_serving.answering.curated import Curated
from aion_serving.providers.openai_chat import OpenAIChat, Sampling

_log = logging.getLogger(__name__)


class Chain:
    """`models` are asked in order. Quoting comes last and cannot fail."""

    def __init__(self, curated: Curated, models: Sequence[Engine]) -> None:
        self._curated = curated
        self._models = models
        self._last = ExtractiveEngine()

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
    """One for each model server of one's own."""
    return [AdapterKeeper(settings.llm_url, _key(settings))] if settings.llm_url else []


def _key(settings: Settings) -> str:
    return settings.local_llm_key or ("" if settings.local_llm_url else settings.worker_token)


def chain_for(settings: Settings, curated: Curated) -> Chain:
    """The engines that the settings name. Asks none of them yet."""
    if not settings.llm_url:
        return Chain(curated, [])
    sampling = Sampling(settings.max_new_tokens, settings.temperature, settings.top_p, settings.answer_timeout_s)
    model = OpenAIChat("local", settings.llm_url, sampling, model=settings.local_llm_model, key=_key(settings))
    engine = GenerativeEngine(
        model,
        system=settings.system_prompt,
        answer_tokens=settings.max_new_tokens,
        unsupported=settings.unsupported,
        passages=settings.max_passages,
    )
    return Chain(curated, [engine])
