"""Hand out what was recorded, one JSON object a line: events, and rows to train a generator on elsewhere.

Events hold ids and figures. Training rows hold texts; those with personal data are left out where they are gathered.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.lake.durable import write_lines_durably
from aion_assets.core.language.times import iso_time
from aion_assets.core.learn.daily import bounds_of
from aion_assets.core.learn.sft_rows import gather_sft_rows

FOLDER = "exports"
MAX_SFT_ROWS = 50_000
_BATCH = 2_000
_NAME = re.compile(r"(?:events|sft)-(\d{4}-\d\d-\d\d)\.jsonl")
_events = tables.events


@dataclass(frozen=True, slots=True)
class Exported:
    """Lines of the two files of a day, and how many older files were deleted."""

    folder: Path
    events: int
    sft_rows: int
    deleted: int


def event_lines(home: Home, since: date | None = None, until: date | None = None) -> Iterator[str]:
    """{event_id, kind, answer_id, created_at, body}, oldest first; of the days from `since` to `until`, both included,
    in AION_TIMEZONE.
    """
    here = [_events.c.tenant_id == home.tenant_id]
    if since is not None:
        here.append(_events.c.created_at >= bounds_of(home, since)[0])
    if until is not None:
        here.append(_events.c.created_at < bounds_of(home, until)[1])
    columns = [_events.c[name] for name in ("event_id", "kind", "answer_id", "created_at", "body")]
    last = -1
    while True:
        asked = select(*columns).where(*here, _events.c.event_id > last).order_by(_events.c.event_id).limit(_BATCH)
        with home.database.read() as connection:
            rows = connection.execute(asked).all()
        for row in rows:
            told = row._asdict() | {"created_at": iso_time(row.created_at, home.settings.zone)}
            yield json.dumps(told, ensure_ascii=False) + "\n"
        if len(rows) < _BATCH:
            return
        last = rows[-1].event_id


def sft_lines(home: Home) -> Iterator[str]:
    """{messages: [{role, content}], answer_id, split, language, doc_ids}, the newest answers first."""
    for row in gather_sft_rows(home).rows[:MAX_SFT_ROWS]:
        ids = {"answer_id": row.answer_id, "split": row.split, "language": row.language, "doc_ids": list(row.doc_ids)}
        yield json.dumps({"messages": list(row.messages), **ids}, ensure_ascii=False) + "\n"


def write_exports(home: Home, day: date, kept_days: int) -> Exported:
    """The day's events, and the training rows as of now, as two files in the home; older files than `kept_days` go."""
    folder = home.settings.home / FOLDER
    events = _written(folder / f"events-{day.isoformat()}.jsonl", event_lines(home, day, day))
    rows = _written(folder / f"sft-{day.isoformat()}.jsonl", sft_lines(home))
    return Exported(folder, events, rows, _prune(folder, day - timedelta(days=kept_days)))


def _written(path: Path, lines: Iterable[str]) -> int:
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in lines:
            count += 1
            yield line.encode()

    write_lines_durably(path, counted())
    path.chmod(0o600)
    return count


def _prune(folder: Path, oldest: date) -> int:
    old = [path for path in folder.iterdir() if (found := _NAME.fullmatch(path.name)) and found[1] <= str(oldest)]
    for path in old:
        path.unlink()
    return len(old)
