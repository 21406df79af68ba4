"""Which index versions are kept. Manifests stay for ever, tags only for releases that may have to serve again."""

from collections.abc import Sequence

from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.lake.compaction import READERS_SWAP
from aion_assets.core.release.releases import TAG_PREFIX, ReleaseRow, current_release_id, list_releases

# So many content releases and so many model releases: models can roll back while the content stays.
KEPT_RELEASES = 5


def retire_old_releases(home: Home) -> int:
    """Delete the tags of all but the last content and model releases and the current one, and the rows that only those
    show. Returns how many tags.
    """
    rows = list_releases(home.database, home.tenant_id)
    kept = _kept(rows, current_release_id(home.database, home.tenant_id) or "")
    retired = 0
    for name in sorted({row.index_table for row in rows}):
        if not home.lake.exists(name):
            continue
        foreign = _tags_of_others(home, name)
        with home.lake.changing(name) as table:
            old = {tag for tag in table.tags.list() if tag.startswith(TAG_PREFIX)} - kept - foreign
            for tag in old:
                table.tags.delete(tag)
        retired += len(old)
        if old:
            home.lake.compact(name, READERS_SWAP)
    return retired


def _kept(rows: Sequence[ReleaseRow], current: str) -> set[str]:
    kept = {row.tag for row in rows[:KEPT_RELEASES]} | {row.tag for row in rows if row.release_id == current}
    newest_of_models: dict[str, str] = {}
    for row in rows:
        newest_of_models.setdefault(row.model_release_id, row.tag)
    return kept | set(list(newest_of_models.values())[:KEPT_RELEASES])


def _tags_of_others(home: Home, table: str) -> set[str]:
    """Tags of other tenants. Each tenant retires its own releases."""
    asked = select(tables.releases.c.tag).where(
        tables.releases.c.index_table == table, tables.releases.c.tenant_id != home.tenant_id
    )
    with home.database.read() as connection:
        return set(connection.execute(asked).scalars())
