"""The labelled questions of this installation: a curator says what they should find.

They are stored in the database. `golden_queries.jsonl` in the home, one {"text": …, "urls": [addresses of the documents
that answer it]} a line, is read into it before each measurement. A line that is gone retires its question.
"""

import json
from pathlib import Path

from sqlalchemy import insert, select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.errors import SettingsError
from aion_assets.core.home import Home
from aion_assets.core.ids import short_digest
from aion_assets.core.learn.labelled import LabelledQuestion

FILE = "golden_queries.jsonl"
_OF_FILE = "file"
_golden = tables.golden_queries


def golden_questions(home: Home) -> list[LabelledQuestion]:
    """The questions that are not retired, in a fixed order. Raises SettingsError: a line of the file is wrong."""
    _take_over_file(home)
    here = (_golden.c.tenant_id == home.tenant_id, _golden.c.retired_at.is_(None))
    asked = select(_golden.c.query_id, _golden.c.text, _golden.c.relevant).where(*here).order_by(_golden.c.query_id)
    with home.database.read() as connection:
        rows = connection.execute(asked).all()
    return [LabelledQuestion(row.text, row.relevant, query_id=row.query_id) for row in rows]


def _take_over_file(home: Home) -> None:
    path = home.settings.home / FILE
    wanted = {short_digest("golden", home.tenant_id, item.text): item for item in _read(path)} if path.is_file() else {}
    columns = (_golden.c.query_id, _golden.c.relevant, _golden.c.origin, _golden.c.retired_at)
    with home.database.write() as connection:
        asked = select(*columns).where(_golden.c.tenant_id == home.tenant_id)
        known = {row.query_id: row for row in connection.execute(asked)}
        for query_id, item in wanted.items():
            this, relevant = _golden.c.query_id == query_id, dict(item.relevant)
            if query_id not in known:
                values = {"query_id": query_id, "tenant_id": home.tenant_id, "text": item.text, "relevant": relevant}
                connection.execute(insert(_golden).values(**values, origin=_OF_FILE, created_at=now()))
            elif known[query_id].relevant != relevant or known[query_id].retired_at is not None:
                connection.execute(update(_golden).where(this).values(relevant=relevant, retired_at=None))
        for query_id, row in known.items():
            if row.origin == _OF_FILE and row.retired_at is None and query_id not in wanted:
                connection.execute(update(_golden).where(_golden.c.query_id == query_id).values(retired_at=now()))


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
