"""JSON: records of a dump ({title, text, lang}, one a line), and any other JSON as lines of `path: value`."""

import json
from collections.abc import Iterator
from typing import Any

from aion_assets.core.errors import ParseError
from aion_assets.core.parse.detect import RawFile
from aion_assets.core.parse.draft import Draft
from aion_assets.core.records import QuarantineReason


def parse_records(raw: RawFile, draft: Draft) -> None:
    """One record is the document. Several records are sections, each headed by its title."""
    draft.parser = "jsonl"
    lines = [line for line in raw.text().split("\n") if line.strip()]
    records = [_record(line, number) for number, line in enumerate(lines, 1)]
    for record in records:
        title = _string(record, "title")
        if len(records) == 1:
            draft.title, draft.lang = title, _string(record, "lang")
        else:
            draft.heading(1, title)
        draft.paragraph(_string(record, "text"))
    if not draft.characters:
        raise ParseError(
            QuarantineReason.NO_TEXT, "No record has a text.", 'Give each a field "text", and a "title" if it has one.'
        )


def parse_json(raw: RawFile, draft: Draft) -> None:
    draft.parser = "json"
    try:
        value = json.loads(raw.text())
    except (ValueError, RecursionError) as error:
        raise ParseError(QuarantineReason.BROKEN, f"The JSON cannot be read: {error}.") from error
    if isinstance(value, dict):
        draft.title = _string(value, "title") or _string(value, "name")
    # One paragraph for each member of the outermost list or object, so that a passage holds a whole member.
    members = value if isinstance(value, list) else [value]
    for member in members:
        draft.paragraph("\n".join(f"{path}: {leaf}" if path else leaf for path, leaf in _leaves(member, "")))


def _record(line: str, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ParseError(QuarantineReason.BROKEN, f"Line {number} is not JSON: {error}.") from error
    if not isinstance(record, dict):
        raise ParseError(QuarantineReason.BROKEN, f"Line {number} is not a JSON object.")
    return record


def _string(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(path, value) of every scalar in `value`, in document order and without recursion."""
    pending = [(path, value)]
    while pending:
        where, found = pending.pop()
        if isinstance(found, dict):
            pending += [(f"{where}.{key}" if where else str(key), item) for key, item in reversed(found.items())]
        elif isinstance(found, list):
            pending += [(where, item) for item in reversed(found)]
        elif found not in (None, ""):
            yield where, str(found)
