"""How far a source's requests got on their way from the tables to a release.

Every collection and decision raises the source's count `requested`. Each step reads the count that its input had
reached when it began, and notes it as its own when it is done; only what a release holds is `handled`. A kill between
any two steps therefore leaves the source due, and the next run goes on.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from aion_assets.core import schema
from aion_assets.core.database import Database

CURATED, EMBEDDED, INDEXED = "curated", "embedded", "indexed"
_progress = schema.progress


def reached(connection: Connection, step: str) -> dict[str, int]:
    """Source → count that the step has reached; sources that never came there are missing."""
    rows = connection.execute(select(_progress.c.source_id, _progress.c.reached).where(_progress.c.step == step))
    return {row.source_id: row.reached for row in rows}


def reached_now(database: Database, step: str) -> dict[str, int]:
    with database.read() as connection:
        return reached(connection, step)


def mark_reached(connection: Connection, step: str, counts: Mapping[str, int]) -> None:
    """Counts never fall: the later of two runs side by side may be the one that began earlier."""
    before = reached(connection, step)
    for source_id, count in counts.items():
        this = (_progress.c.source_id == source_id, _progress.c.step == step)
        if source_id not in before:
            connection.execute(insert(_progress).values(source_id=source_id, step=step, reached=count))
        elif before[source_id] < count:
            connection.execute(update(_progress).where(*this).values(reached=count))


def forget_progress(connection: Connection, source_id: str) -> None:
    connection.execute(delete(_progress).where(_progress.c.source_id == source_id))
