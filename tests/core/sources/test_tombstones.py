from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.settings import Settings
from aion_assets.core.sources.tombstones import (
    Reason,
    hide_documents,
    read_hidden,
    read_revision,
    reasons_by_document,
    show_documents,
)

Either = tuple[Database, Settings]


def _hide(either: Either, reason: Reason, *keys: str) -> None:
    with either[0].write() as connection:
        hide_documents(connection, either[1].tenant_id, keys, reason)


def _show(either: Either, reason: Reason, *keys: str) -> None:
    with either[0].write() as connection:
        show_documents(connection, either[1].tenant_id, keys, reason)


def _hidden(either: Either) -> frozenset[str]:
    return read_hidden(either[0], either[1].tenant_id).doc_ids


def test_an_approval_takes_back_a_rejection_and_never_a_forget(either_database: Either) -> None:
    _hide(either_database, Reason.REJECTED, "a", "b")
    _hide(either_database, Reason.FORGOTTEN, "a")
    _show(either_database, Reason.REJECTED, "a", "b")
    assert _hidden(either_database) == {"a"}
    assert reasons_by_document(*_of(either_database), ["a", "b"]) == {"a": ["forgotten"]}


def test_every_change_raises_the_revision_whatever_the_clocks_say(either_database: Either) -> None:
    database, settings = either_database
    seen = [read_revision(*_of(either_database))]
    _hide(either_database, Reason.REJECTED, "a")
    seen.append(read_revision(*_of(either_database)))
    with database.write() as connection:  # as a process whose clock is behind would write it
        first = connection.execute(select(tables.tombstones.c.created_at)).scalar_one()
        connection.execute(tables.tombstones.update().values(created_at=first.replace(year=2001)))
    _hide(either_database, Reason.GONE, "b")
    seen.append(read_revision(*_of(either_database)))
    _show(either_database, Reason.REJECTED, "a")
    seen.append(read_revision(*_of(either_database)))
    assert seen == [0, 1, 2, 3]
    assert read_hidden(database, settings.tenant_id).revision == 3


def test_what_changes_nothing_leaves_the_revision(either_database: Either) -> None:
    _hide(either_database, Reason.REJECTED, "a")
    before = read_revision(*_of(either_database))
    _show(either_database, Reason.GONE, "a")
    _hide(either_database, Reason.REJECTED)
    assert read_revision(*_of(either_database)) == before


def test_hiding_twice_is_hiding_once(either_database: Either) -> None:
    for _ in range(2):
        _hide(either_database, Reason.REJECTED, "a", "a")
    assert _hidden(either_database) == {"a"}
    _show(either_database, Reason.REJECTED, "a")
    assert _hidden(either_database) == frozenset()


def test_a_tenant_sees_its_own_tombstones_alone(either_database: Either) -> None:
    _hide(either_database, Reason.REJECTED, "a")
    assert read_hidden(either_database[0], "other").doc_ids == frozenset()
    assert read_revision(either_database[0], "other") == 0


def _of(either: Either) -> tuple[Database, str]:
    return either[0], either[1].tenant_id
