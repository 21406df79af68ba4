"""The sources: add, pause, remove, and record how far the pipeline is with each."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, TypedDict, Unpack

from sqlalchemy import Connection, case, delete, func, insert, null, select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database, keep_writers_out, now
from aion_assets.core.errors import QuotaError, SourceError
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings
from aion_assets.core.sources import progress
from aion_assets.core.sources.names import id_and_name, refuse_no_text, refuse_unfit_name
from aion_assets.core.sources.progress import bump_requested
from aion_assets.core.sources.state import DAY_S, SourceState, state_of
from aion_assets.core.sources.tombstones import hide_source

DEFAULT_DEPTH = 20
DEFAULT_PAGES = 10_000
_TICK = timedelta(microseconds=1)

_sources = tables.sources


class Options(TypedDict, total=False):
    """What may be said of a source when it is added; what is left out has its default."""

    kind: str
    name: str
    schedule_s: int
    max_depth: int
    max_pages: int
    allow_domains: Sequence[str]
    auto_approve: bool


def add_source(database: Database, settings: Settings, address: str, **options: Unpack[Options]) -> Source:
    """Add a source; its id is a readable form of its name and is never used again after removal.

    Raises SourceError: the address is of no known kind or is a source already, an allowed domain is not one, or the
    name finds another source. QuotaError: there are as many sources as may be.
    """
    from aion_assets.core.collect.kinds import connector_of, kind_of
    from aion_assets.core.fetch.urls import Scope

    name, allow_domains = options.get("name", ""), tuple(options.get("allow_domains", ()))
    if name:
        refuse_unfit_name(name)
    kind = options.get("kind", "") or kind_of(address)
    address = connector_of(kind).normal_address(address)
    refuse_no_text(address)
    if kind == "web":
        Scope(address, allow_domains)
    with database.write() as connection:
        keep_writers_out(connection, _sources)
        same = connection.execute(
            select(_sources.c.source_id).where(
                _sources.c.tenant_id == settings.tenant_id,
                _sources.c.address == address,
                _sources.c.removed_at.is_(None),
            )
        ).scalar()
        if same is not None and kind != "uploads":
            raise SourceError(f"{address} is a source already: {same}.", f"See 'aion source show {same}'.")
        _refuse_too_many(connection, settings)
        source_id, name = id_and_name(connection, settings.tenant_id, address, name)
        source = Source(
            source_id=source_id,
            tenant_id=settings.tenant_id,
            kind=kind,
            address=address,
            name=name,
            schedule_s=options.get("schedule_s", DAY_S),
            max_depth=options.get("max_depth", DEFAULT_DEPTH),
            max_pages=options.get("max_pages", DEFAULT_PAGES),
            allow_domains=allow_domains,
            auto_approve=options.get("auto_approve", False),
        )
        untouched = {"collection_id": "", "failure": "", "requested": 0, "handled": 0, "pipeline_version": ""}
        connection.execute(insert(_sources).values(**asdict(source), **untouched, created_at=now()))
    return source


def _refuse_too_many(connection: Connection, settings: Settings) -> None:
    these = (_sources.c.tenant_id == settings.tenant_id, _sources.c.removed_at.is_(None))
    there = connection.execute(select(func.count()).select_from(_sources).where(*these)).scalar_one()
    if there >= settings.max_sources:
        raise QuotaError(
            f"There are {there} sources, and AION_MAX_SOURCES is {settings.max_sources}.",
            "Remove one that nobody needs (aion source remove), or raise the setting.",
        )


def list_sources(database: Database, settings: Settings) -> list[SourceState]:
    with database.read() as connection:
        rows = connection.execute(
            select(_sources)
            .where(_sources.c.tenant_id == settings.tenant_id, _sources.c.removed_at.is_(None))
            .order_by(_sources.c.created_at)
        ).all()
    return [state_of(row) for row in rows]


def places_of_sources(database: Database, tenant_id: str) -> dict[str, tuple[str, str]]:
    """source_id → its kind and address, removed ones included. Raises DatabaseError at once where it is locked."""
    asked = select(_sources.c.source_id, _sources.c.kind, _sources.c.address).where(_sources.c.tenant_id == tenant_id)
    with database.read_at_once() as connection:
        return {row.source_id: (row.kind, row.address) for row in connection.execute(asked)}


def any_source_ever(database: Database, settings: Settings) -> bool:
    """Whether a source was ever added, removed ones included."""
    with database.read() as connection:
        found = connection.execute(
            select(_sources.c.source_id).where(_sources.c.tenant_id == settings.tenant_id).limit(1)
        )
        return found.first() is not None


def get_source(database: Database, settings: Settings, source_id: str) -> SourceState:
    """Raises SourceError: there is none of that id or name."""
    states = list_sources(database, settings)
    for state in states:
        if source_id in (state.source.source_id, state.source.name):
            return state
    known = ", ".join(state.source.source_id for state in states) or "none yet"
    raise SourceError(f"There is no source {source_id!r}.", f"Sources: {known}.")


def pause_source(database: Database, source_id: str, *, paused: bool) -> None:
    _set(database, source_id, paused=paused)


def remove_source(database: Database, source_id: str) -> None:
    """Hide everything of the source from every release at once. The next run cleans the tables."""
    with database.write() as connection:
        _forget_decisions(connection, source_id)
        here = (_sources.c.source_id == source_id, _sources.c.removed_at.is_(None))
        removed = update(_sources).where(*here).values(removed_at=now()).returning(_sources.c.tenant_id)
        tenant_id = connection.execute(removed).scalar()
        if tenant_id is None:  # somebody else was faster
            return
        hide_source(connection, tenant_id, source_id)


def _forget_decisions(connection: Connection, source_id: str) -> None:
    """Call it before the source's own row is locked: deciding locks in the same order."""
    these = tables.curation.c.source_id == source_id
    connection.execute(select(tables.curation.c.doc_id).where(these).order_by("doc_id").with_for_update()).all()
    connection.execute(delete(tables.curation).where(these))


def removed_sources(database: Database, settings: Settings) -> list[str]:
    """Removed sources whose rows may still be in the tables."""
    with database.read() as connection:
        return list(
            connection.execute(
                select(_sources.c.source_id).where(
                    _sources.c.tenant_id == settings.tenant_id,
                    _sources.c.removed_at.is_not(None),
                    _sources.c.handled >= 0,
                )
            ).scalars()
        )


def mark_cleaned(database: Database, source_id: str) -> None:
    with database.write() as connection:
        _forget_decisions(connection, source_id)
        connection.execute(update(_sources).where(_sources.c.source_id == source_id).values(handled=-1))
        progress.forget_progress(connection, source_id)


def request_collection(database: Database, source_id: str) -> None:
    """Make the source due now, whatever its schedule. A collection under way is followed by another one."""
    this = _sources.c.source_id == source_id
    with database.write() as connection:
        started, _ = _times_of(connection, source_id)
        asked_at = max(now(), started + _TICK) if started else now()
        values = {"collected_at": None, "collection_requested_at": asked_at}
        connection.execute(update(_sources).where(this).values(**values))


def _times_of(connection: Connection, source_id: str) -> tuple[datetime | None, datetime | None]:
    """When its newest collection began and when one was last asked for. The later event has the later time, whatever
    the clock did in between. Locks the row.
    """
    columns = (_sources.c.collection_started_at, _sources.c.collection_requested_at)
    asked = select(*columns).where(_sources.c.source_id == source_id).with_for_update()
    row = connection.execute(asked).first()
    return (row[0], row[1]) if row else (None, None)


def begin_collection(database: Database, source_id: str) -> str:
    """Id of the collection to do: that of a killed one, otherwise a new one."""
    this = _sources.c.source_id == source_id
    with database.write() as connection:
        under_way = connection.execute(select(_sources.c.collection_id).where(this)).scalar()
        if under_way:
            return str(under_way)
        collection_id = uuid.uuid4().hex
        _, asked_at = _times_of(connection, source_id)
        values = {"collection_id": collection_id, "collection_started_at": max(now(), asked_at or now())}
        connection.execute(update(_sources).where(this).values(**values))
    return collection_id


def finish_collection(database: Database, source_id: str, failure: str = "") -> None:
    """Mark the collection as done, unless it was given up meanwhile. The steps after it are then due.

    `failure` says why it is not complete.
    """
    under_way = (_sources.c.source_id == source_id, _sources.c.collection_id != "")
    # A request after the collection began may be about something that it had already passed.
    asked_again = _sources.c.collection_requested_at > _sources.c.collection_started_at
    with database.write() as connection:
        values = {"collection_id": "", "collected_at": case((asked_again, null()), else_=now()), "failure": failure}
        connection.execute(update(_sources).where(*under_way).values(**values))
        bump_requested(connection, [source_id])


def note_failure(database: Database, source_id: str, failure: str) -> None:
    """Note why the collection broke off. The next run resumes it."""
    _set(database, source_id, failure=failure)


def mark_pipeline(database: Database, source_id: str, version: str) -> None:
    """Note the code and embedder with which the source went through to vectors."""
    this = _sources.c.source_id == source_id
    with database.write() as connection:
        connection.execute(update(_sources).where(this).values(pipeline_version=version))
        # A source that was removed during the run has rows to clean again.
        connection.execute(update(_sources).where(this, _sources.c.removed_at.is_not(None)).values(handled=0))


def _set(database: Database, source_id: str, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(update(_sources).where(_sources.c.source_id == source_id).values(**values))
