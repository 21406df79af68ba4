"""Homes that earlier versions of AION wrote, as `tests/homes/make_home.py` packed them."""

import json
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from homes.make_home import PLACE
from sqlalchemy import MetaData, create_engine, insert, select, text

from aion_assets.core.database.upgrade import MIGRATIONS

HOMES = Path(__file__).parent / "homes"


@dataclass(frozen=True, slots=True)
class OldHome:
    """`documents` is where the home's sources look; `answers` are what was asked of it, as it was answered."""

    version: str
    home: Path
    documents: Path
    answers: list[dict[str, Any]]


def unpack(name: str, home: Path) -> OldHome:
    """Documents go to where their addresses say they are, the home to where the test wants it."""
    PLACE.mkdir(exist_ok=True)
    shutil.rmtree(PLACE / name, ignore_errors=True)
    with tarfile.open(HOMES / f"{name}.tar.gz") as archive:
        archive.extractall(PLACE, filter="data")
    shutil.copytree(PLACE / name / "home", home)
    return OldHome(
        name, home, PLACE / name / "documents", json.loads((PLACE / name / "answers.json").read_text("utf-8"))
    )


def move_to_postgresql(database: Path, schema: str, url: str) -> None:
    """The rows of an SQLite database of this schema into an empty PostgreSQL database, which gets the same schema."""
    target = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = target
    command.upgrade(config, schema)
    source, known = create_engine(f"sqlite:///{database}"), MetaData()
    known.reflect(target)
    with source.connect() as reading, target.begin() as writing:
        for table in known.sorted_tables:
            rows = [dict(row) for row in reading.execute(select(table)).mappings()]
            if rows and table.name != "alembic_version":
                writing.execute(insert(table), rows)
        # Rows that came with their number did not move the counter.
        writing.execute(text("SELECT setval('events_event_id_seq', (SELECT max(event_id) FROM events))"))
    source.dispose()
    target.dispose()
