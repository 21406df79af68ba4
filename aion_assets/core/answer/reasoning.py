"""Take what a model thinks aloud out of what it says: text between tags such as <think> and </think>."""

import re
from collections.abc import Iterator
from typing import TypeVar

from aion_assets.core.answer.engine import Usage

_OPENING = re.compile(r"<(think|thinking|reasoning|reflection)>", re.IGNORECASE)
_CLOSING = re.compile(r"</(?:think|thinking|reasoning|reflection)>", re.IGNORECASE)
_LONGEST_TAG = len("</reflection>")
_Other = TypeVar("_Other", bound=Usage)


def without_reasoning(pieces: Iterator[str | _Other]) -> Iterator[str | _Other]:
    """The pieces without tagged thoughts. Thoughts whose opening tag the template wrote end with a closing tag alone;
    what stands before that is dropped where nothing of it was passed on yet.
    """
    waiting, closing = "", ""
    for piece in pieces:
        if not isinstance(piece, str):
            yield piece
            continue
        waiting += piece
        while True:
            if closing:
                _, found, rest = waiting.partition(closing)
                waiting = rest if found else waiting[-_LONGEST_TAG:]
                if not found:
                    break
                closing = ""
            opened, closed = _OPENING.search(waiting), _CLOSING.search(waiting)
            if closed and (opened is None or closed.start() < opened.start()):
                waiting = waiting[closed.end() :]
                continue
            if opened is None:
                break
            yield waiting[: opened.start()]
            closing = f"</{opened[1]}>"
            waiting = waiting[opened.end() :]
        if not closing:
            shown = len(waiting) - _maybe_tag(waiting)
            if shown:
                yield waiting[:shown]
            waiting = waiting[shown:]
    if waiting and not closing:
        yield waiting


def _maybe_tag(text: str) -> int:
    """Characters at the end that may be the beginning of a tag."""
    at = text.rfind("<", -_LONGEST_TAG)
    return len(text) - at if at >= 0 and ">" not in text[at:] else 0
