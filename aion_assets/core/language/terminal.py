"""Text of strangers on a terminal: shown, never obeyed."""

import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.segment import Segment

# C0 and C1 without tab and line break, and the marks that turn the direction of what follows.
_COMMANDS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")


def harmless(text: str) -> str:
    """Without what a terminal takes as a command: an escape sequence may retitle it, overwrite lines and even type."""
    return _COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text)


class Terminal(Console):
    """A console that writes its own colours and no escape sequence of what it is given."""

    def render(self, renderable: Any, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(harmless(segment.text), segment.style)
