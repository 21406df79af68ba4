"""What every engine is given, and what it gives: text piece by piece, then the answer.

The extractive engine and a model stand behind the same door, so that whoever answers need not know which one it was.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aion_assets.core.answer.citations import Locate, where_passages_begin
from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.evidence import evidence_of
from aion_assets.core.answer.extractive import Answer, answer_question
from aion_assets.core.answer.interleaving import interleave
from aion_assets.core.answer.swapping import Swaps
from aion_assets.core.search.hits import Retrieval


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Rival:
    """The ranker that served before, whose sources stand among those of the one that serves. `retrieve`: the same
    question over the same index, in its order.
    """

    model_release_id: str
    retrieve: Callable[[], Retrieval]


@dataclass(frozen=True, slots=True)
class Task:
    """One question with what was found for it. `stopped`: whether a person asked to end the answer. `own_models`: False
    leaves out the models of one's own.
    """

    retrieval: Retrieval
    calibration: Calibration
    tau: float
    locate: Locate = where_passages_begin
    stopped: Callable[[], bool] = _never
    own_models: bool = True
    swaps: Swaps = field(default_factory=Swaps)
    rival: Rival | None = None

    @property
    def confidence(self) -> float:
        return self.calibration.confidence(evidence_of(self.retrieval), self.retrieval.language)


class Engine(Protocol):
    """Yields pieces of text that may be shown as they come, and last the answer, whose text they are together.

    Raises GeneratorError before the first piece: it cannot answer, and the next engine may.
    """

    def write(self, task: Task) -> Iterator[str | Answer]: ...


@dataclass(frozen=True, slots=True)
class Usage:
    """What a model tells at the end: its name, the tokens that it read and wrote, and why it ended."""

    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = "stop"


class ChatModel(Protocol):
    """A model that answers messages. `provider` says where it runs, `timeout_s` what a whole answer may take.

    `until` is the moment, on the monotonic clock, at which an answer must have ended.
    """

    provider: str
    timeout_s: float

    def window_tokens(self, until: float) -> int:
        """Its context, as far as known. Raises GeneratorError: it is not there."""
        ...

    def stream(
        self, messages: Sequence[dict[str, str]], stopped: Callable[[], bool], until: float
    ) -> Iterator[str | Usage]:
        """Raises GeneratorError: it is not there, is too slow, or answers garbage. ContextTooLongError: the messages
        are longer than it reads."""
        ...


class ExtractiveEngine:
    """Quotes, or abstains. It always answers."""

    def write(self, task: Task) -> Iterator[str | Answer]:
        answer = answer_question(task.retrieval, calibration=task.calibration, tau=task.tau, locate=task.locate)
        shown = self._beside_rival(task, answer) if task.rival else task.swaps.among(answer, task.retrieval.hits)
        yield shown.text
        yield shown

    def _beside_rival(self, task: Task, answer: Answer) -> Answer:
        assert task.rival is not None
        found = task.rival.retrieve()
        other = answer_question(found, calibration=task.calibration, tau=task.tau, locate=task.locate)
        return interleave(answer, other, task.rival.model_release_id, [*task.retrieval.hits, *found.hits])
