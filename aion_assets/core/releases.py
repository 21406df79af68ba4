"""Releases: immutable manifests of what serves, and the one row that says which of them is current.

The server reads nothing else. A manifest is stored before it becomes current, in one transaction, so that a reader
sees either the old release or the new one.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from aion_assets.core import schema
from aion_assets.core.database import Database, now
from aion_assets.core.errors import NoReleaseError
from aion_assets.core.lake import Lake

# Older releases lose their tag, and with it the rows that only they still hold.
KEPT_RELEASES = 5
# A version that was the newest so long ago has no reader any more.
READERS_SWAP = timedelta(hours=1)
PROMPT_VERSION = "extractive-1"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything an answer depends on. Two equal manifests have the same digest, which is the release's id.

    `index` is {table, version, rows, data_version}; `embedder` {id, dimension}; adapters and base model are "" while
    answers are extractive; `calibration` and `fusion` are the JSON forms of `Calibration` and `FusionConfig`.
    """

    index: dict[str, Any]
    embedder: dict[str, Any]
    calibration: dict[str, Any]
    fusion: dict[str, Any]
    retriever_adapter: str = ""
    base_model: str = ""
    generator_adapter: str = ""
    prompt_version: str = PROMPT_VERSION
    metrics: dict[str, Any] = field(default_factory=dict)
    created_by_run: str = ""

    @property
    def release_id(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def tag(self) -> str:
        return f"release-{self.release_id[:16]}"

    def serves_the_same_as(self, other: "Manifest") -> bool:
        """Whether a reader could tell no difference: measurements and the run that made it do not matter."""
        return self._served() == other._served()

    def _served(self) -> str:
        facts = {key: value for key, value in asdict(self).items() if key not in ("metrics", "created_by_run")}
        # A compaction moves the version of a table but not its rows.
        facts["index"] = {key: value for key, value in self.index.items() if key != "version"}
        # As JSON, because a manifest that was read back has lists where a new one has tuples.
        return json.dumps(facts, sort_keys=True)


def publish(lake: Lake, database: Database, tenant_id: str, manifest: Manifest) -> str:
    """Make this manifest the current release: tag its index version, store it, switch. Returns the release id.

    A kill leaves at worst a tag without a release, which the next publication removes.
    """
    lake.set_tag(manifest.index["table"], manifest.tag, manifest.index["version"])
    release_id = manifest.release_id
    releases, current = schema.releases, schema.current_release
    with database.write() as connection:
        if connection.execute(select(releases.c.release_id).where(releases.c.release_id == release_id)).first() is None:
            connection.execute(
                insert(releases).values(
                    release_id=release_id,
                    tenant_id=tenant_id,
                    created_at=now(),
                    run_id=manifest.created_by_run,
                    manifest=asdict(manifest),
                )
            )
        switched = connection.execute(
            update(current).where(current.c.tenant_id == tenant_id).values(release_id=release_id, since=now())
        )
        if switched.rowcount == 0:
            connection.execute(insert(current).values(tenant_id=tenant_id, release_id=release_id, since=now()))
    return release_id


def current_release(database: Database, tenant_id: str) -> Manifest:
    """Raises NoReleaseError: nothing has been released yet."""
    found = current_release_id(database, tenant_id)
    if found is None:
        raise NoReleaseError("Nothing has been released yet.", "Add a source and run 'aion run'.")
    return read_release(database, found)


def current_release_id(database: Database, tenant_id: str) -> str | None:
    current = schema.current_release
    with database.read() as connection:
        return connection.execute(select(current.c.release_id).where(current.c.tenant_id == tenant_id)).scalar()


def read_release(database: Database, release_id: str) -> Manifest:
    """Raises NoReleaseError: there is no release of that id."""
    releases = schema.releases
    with database.read() as connection:
        manifest = connection.execute(select(releases.c.manifest).where(releases.c.release_id == release_id)).scalar()
    if manifest is None:
        raise NoReleaseError(
            f"There is no release {release_id!r}.", "The five newest are kept; 'aion doctor' names the current one."
        )
    return Manifest(**manifest)


def retire_old_releases(lake: Lake, database: Database, tenant_id: str) -> int:
    """Forget all but the newest releases and the current one, so that rows which only others show leave the disk."""
    releases = schema.releases
    with database.read() as connection:
        rows = connection.execute(
            select(releases.c.release_id, releases.c.created_at, releases.c.manifest)
            .where(releases.c.tenant_id == tenant_id)
            .order_by(releases.c.created_at.desc())
        ).all()
    current = current_release_id(database, tenant_id)
    retired = [row.release_id for row in rows[KEPT_RELEASES:] if row.release_id != current]
    # The rows first: a kill then leaves tags without a release, which the next call removes.
    with database.write() as connection:
        connection.execute(delete(releases).where(releases.c.release_id.in_(retired)))
        known = {Manifest(**row.manifest).tag for row in connection.execute(select(releases.c.manifest))}
    for name in sorted({row.manifest["index"]["table"] for row in rows}):
        with lake.changing(name) as table:
            for tag in set(table.tags.list()) - known:
                table.tags.delete(tag)
        if retired:
            lake.compact(name, READERS_SWAP)
    return len(retired)
