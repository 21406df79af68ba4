"""One answer under way: its limits, its text as it grows, and how it ended."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Ended(StrEnum):
    """Why a generation ended."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Limits:
    """`temperature` 0 takes the likeliest token. `seed` None draws anew each time."""

    max_new_tokens: int = 512
    temperature: float = 0.6
    top_p: float = 0.9
    repetition_penalty: float = 1.05
    stop: tuple[str, ...] = ()
    timeout_s: float = 60.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A further part of the text."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    """Comes once, last. `error` says what failed."""

    reason: Ended
    prompt_tokens: int
    completion_tokens: int
    adapter: str
    error: str = ""


class Generation:
    """What the engine tells of one answer. `listen` is called by the engine's thread and must not block."""

    def __init__(self, limits: Limits, listen: Callable[[Piece | End], None], adapter: str = "") -> None:
        self.limits = limits
        self.adapter = adapter
        self._listen = listen
        self._cancelled = False
        self._started = time.monotonic()
        self._told = 0
        self._text = ""

    def cancel(self) -> None:
        """End it with the next token. Safe to call from any thread, more than once, and after the end."""
        self._cancelled = True

    @property
    def interrupted(self) -> Ended | None:
        if self._cancelled:
            return Ended.CANCELLED
        if time.monotonic() - self._started > self.limits.timeout_s:
            return Ended.TIMEOUT
        return None

    def write(self, text: str, stops: Sequence[str], *, is_last: bool) -> bool:
        """Tell what is new in `text`, the whole answer so far. True: one of `stops` ended it.

        The beginning of a stop, or of a character of several tokens, is held back until it is decided.
        """
        self._text = text
        found = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
        if found:
            self._tell(min(found))
            return True
        self._tell(len(text) if is_last else len(text) - _undecided(text, stops))
        return False

    def end(self, reason: Ended, prompt_tokens: int, completion_tokens: int, error: str = "") -> None:
        self._listen(End(reason, prompt_tokens, completion_tokens, self.adapter, error))

    def _tell(self, until: int) -> None:
        if until > self._told:
            self._listen(Piece(self._text[self._told : until]))
            self._told = until


def _undecided(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end may still become part of a stop, or are half a character."""
    half = len(text) - len(text.rstrip("\ufffd"))
    partial = [size for stop in stops for size in range(1, min(len(stop), len(text) + 1)) if text.endswith(stop[:size])]
    return max([half, *partial])
