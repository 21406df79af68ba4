"""The labelled questions of this installation: a curator says what they should find.

They are stored in the database. `golden_queries.jsonl` in the home, one {"text": …, "urls": [addresses of the documents
that answer it]} a line, is read into it before each measurement. A line that is gone retires its question.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.errors import SettingsError
from aion_assets.core.home import Home
from aion_assets.core.ids import digest, short_digest
from aion_assets.core.learn.labelled import LabelledQuestion

FILE = "golden_queries.jsonl"
OF_FILE, OF_IMPORT = "file", "import"
TRAIN, DEV, TEST, APART = "train", "dev", "test", "apart"
_golden = tables.golden_queries


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing some questions changed."""

    added: int = 0
    changed: int = 0
    known: int = 0


def golden_questions(home: Home, *splits: str) -> list[LabelledQuestion]:
    """The questions that are not retired, of all splits or of these, in a fixed order. `relevant` names addresses.

    Raises SettingsError: a line of the file is wrong.
    """
    _take_over_file(home)
    here = [_golden.c.tenant_id == home.tenant_id, _golden.c.retired_at.is_(None)]
    if splits:
        here.append(_golden.c.split.in_(splits))
    asked = select(_golden.c.query_id, _golden.c.text, _golden.c.relevant).where(*here).order_by(_golden.c.query_id)
    with home.database.read() as connection:
        rows = connection.execute(asked).all()
    return [
        LabelledQuestion(row.text, row.relevant, answerable=bool(row.relevant), query_id=row.query_id) for row in rows
    ]


def measured_questions(home: Home) -> list[LabelledQuestion]:
    """The test split. While nothing is frozen all questions: then none of them may be trained on either."""
    return golden_questions(home, TEST) or golden_questions(home, "")


def golden_digest(questions: Sequence[LabelledQuestion]) -> str:
    """Of what is measured: another question or judgement gives another digest."""
    parts = [f"{item.query_id} {json.dumps(dict(item.relevant), sort_keys=True)}" for item in questions]
    return digest("golden", *parts)


def counted_by_split(home: Home) -> dict[str, int]:
    """ "" stands for questions that are not frozen."""
    here = (_golden.c.tenant_id == home.tenant_id, _golden.c.retired_at.is_(None))
    with home.database.read() as connection:
        asked = select(_golden.c.split, func.count()).where(*here).group_by(_golden.c.split)
        return {row[0]: row[1] for row in connection.execute(asked)}


def store_golden(home: Home, questions: Sequence[LabelledQuestion], origin: str) -> Stored:
    """Add questions, by their text; a known one gets the judgement given now, and keeps its split."""
    with home.database.write() as connection:
        return _store(connection, home, questions, origin)


def _store(connection: Connection, home: Home, questions: Sequence[LabelledQuestion], origin: str) -> Stored:
    columns = (_golden.c.query_id, _golden.c.relevant, _golden.c.retired_at)
    asked = select(*columns).where(_golden.c.tenant_id == home.tenant_id)
    known = {row.query_id: row for row in connection.execute(asked)}
    added = changed = 0
    wanted = {query_id(home.tenant_id, item.text): item for item in questions}
    for key, item in wanted.items():
        relevant = dict(item.relevant)
        if key not in known:
            values = {"query_id": key, "tenant_id": home.tenant_id, "text": item.text, "relevant": relevant}
            connection.execute(insert(_golden).values(**values, origin=origin, created_at=now()))
            added += 1
        elif known[key].relevant != relevant or known[key].retired_at is not None:
            this = _golden.c.query_id == key
            connection.execute(update(_golden).where(this).values(relevant=relevant, retired_at=None))
            changed += 1
    return Stored(added, changed, len(wanted) - added - changed)


def query_id(tenant_id: str, text: str) -> str:
    return short_digest("golden", tenant_id, text)


def _take_over_file(home: Home) -> None:
    path = home.settings.home / FILE
    wanted = {query_id(home.tenant_id, item.text): item for item in _read(path)} if path.is_file() else {}
    here = (_golden.c.tenant_id == home.tenant_id, _golden.c.origin == OF_FILE, _golden.c.retired_at.is_(None))
    with home.database.write() as connection:
        _store(connection, home, list(wanted.values()), OF_FILE)
        for key in connection.execute(select(_golden.c.query_id).where(*here)).scalars().all():
            if key not in wanted:
                connection.execute(update(_golden).where(_golden.c.query_id == key).values(retired_at=now()))


def _read(path: Path) -> list[LabelledQuestion]:
    questions = []
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            questions.append(LabelledQuestion(str(entry["text"]), dict.fromkeys(map(str, entry["urls"]), 1)))
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"Line {number} of {path} is no labelled question: {error}.", 'Write {"text": "…", "urls": ["…"]}.'
            ) from error
    return questions
