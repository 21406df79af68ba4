"""How far a source's requests got on the way from the tables to a release.

Every collection and decision raises the source's count `requested`. Each step reads the count that its input had
reached when it began, and notes it as its own when it is done. Only what a release holds is `handled`. So a kill
between two steps leaves the source due, and the next run goes on. Of two runs side by side, neither notes what only the
other one saw.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, delete, insert, select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import SourceError

PARSED, CURATED, CHUNKED, EMBEDDED, INDEXED = "parsed", "curated", "chunked", "embedded", "indexed"
# The step whose result each one reads. Parsing, the first after a collection, reads `requested` itself.
_BEFORE = {CURATED: PARSED, CHUNKED: CURATED, EMBEDDED: CHUNKED}
_progress, _sources = tables.progress, tables.sources


@contextmanager
def noted(database: Database, source_id: str, step: str) -> Iterator[None]:
    """Do a step's work on one source inside. If it ends well, the count that its input had reached before is noted.

    Raises SourceError: the source was removed; its rows may be cleaned already.
    """
    is_there = (_sources.c.source_id == source_id, _sources.c.removed_at.is_(None))
    with database.read() as connection:
        count = connection.execute(select(_sources.c.requested).where(*is_there)).scalar()
        if count is None:
            raise SourceError(f"There is no source {source_id!r}.", "It was removed while a run worked on it.")
        if step in _BEFORE:
            count = reached(connection, _BEFORE[step]).get(source_id)
    yield
    if count is not None:
        with database.write() as connection:
            mark_reached(connection, step, {source_id: count})


def reached(connection: Connection, step: str) -> dict[str, int]:
    """Source → count that the step has reached. Sources that never came there are missing."""
    rows = connection.execute(select(_progress.c.source_id, _progress.c.reached).where(_progress.c.step == step))
    return {row.source_id: row.reached for row in rows}


def reached_now(database: Database, step: str) -> dict[str, int]:
    with database.read() as connection:
        return reached(connection, step)


def mark_reached(connection: Connection, step: str, counts: Mapping[str, int]) -> None:
    """Never lowers a count: of two runs side by side, the one that ends later may have begun earlier."""
    before = reached(connection, step)
    for source_id, count in counts.items():
        this = (_progress.c.source_id == source_id, _progress.c.step == step)
        if source_id not in before:
            connection.execute(insert(_progress).values(source_id=source_id, step=step, reached=count))
        elif before[source_id] < count:
            connection.execute(update(_progress).where(*this).values(reached=count))


def forget_progress(connection: Connection, source_id: str) -> None:
    connection.execute(delete(_progress).where(_progress.c.source_id == source_id))


def bump_requested(connection: Connection, source_ids: Sequence[str]) -> None:
    """Note inside a transaction that these sources have a request that no release holds."""
    if source_ids:
        connection.execute(
            update(_sources).where(_sources.c.source_id.in_(source_ids)).values(requested=_sources.c.requested + 1)
        )


def request_all(database: Database) -> None:
    """Note that every source, of whatever tenant, has a request that no release holds."""
    with database.write() as connection:
        there = _sources.c.removed_at.is_(None)
        connection.execute(update(_sources).where(there).values(requested=_sources.c.requested + 1))


def mark_handled(database: Database, counts: Mapping[str, int]) -> None:
    """Note for each source the count of requests that the current release holds."""
    with database.write() as connection:
        for source_id, count in counts.items():
            this = (_sources.c.source_id == source_id, _sources.c.removed_at.is_(None), _sources.c.handled < count)
            connection.execute(update(_sources).where(*this).values(handled=count))
