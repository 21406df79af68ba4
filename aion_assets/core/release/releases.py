"""Releases: index versions with the models that serve them, and the one row that names the current release.

The server reads nothing else. One transaction stores a release and makes it current, so that a reader sees the old one
or the new one. Rows are kept for ever. Only tags, and with them index versions, are deleted.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database, now
from aion_assets.core.database.prefixes import full_id
from aion_assets.core.errors import NoReleaseError
from aion_assets.core.home import Home
from aion_assets.core.record.events import ReleaseEvent, published_order, record_event
from aion_assets.core.release.manifest import (
    FORMAT,
    ContentManifest,
    ModelManifest,
    id_of,
    read_content,
    read_models,
    written_by,
)

PUBLISHED, ROLLED_BACK = "published", "rolled_back"
TAG_PREFIX = "release-"
_TAG_HEX_DIGITS = 16
_releases, _models, _current = tables.releases, tables.model_releases, tables.current_release


@dataclass(frozen=True, slots=True)
class Release:
    """`tag` names its index version in the lake."""

    release_id: str
    tag: str
    content: ContentManifest
    models: ModelManifest
    created_at: datetime
    run_id: str

    @property
    def index(self) -> dict[str, Any]:
        return self.content.index

    @property
    def table(self) -> str:
        return str(self.content.index["table"])

    @property
    def model_release_id(self) -> str:
        return self.content.model_release_id

    def serves_the_same_as(self, index: dict[str, Any], models: ModelManifest) -> bool:
        """Whether both serve the same. A compaction changes the version of a table but not its rows."""
        return self.models.text == models.text and _rows_of(self.index) == _rows_of(index)


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """A release in a list: only what every AION can read."""

    release_id: str
    model_release_id: str
    tag: str
    index_table: str
    aion_version: str
    run_id: str
    created_at: datetime
    models_created_at: datetime


@dataclass(frozen=True, slots=True)
class Publication:
    """Who publishes, a person or "run:…", in which run, and what was measured before."""

    by: str
    run_id: str = ""
    report_id: str = ""
    action: str = PUBLISHED


def publish(home: Home, index: dict[str, Any], models: ModelManifest, made: Publication) -> Release:
    """Make this the current release: tag its index version, store it, switch.

    A kill leaves at worst a tag without a release. The next publication removes it.
    """
    content = ContentManifest(index, id_of(models.text), made.report_id)
    release_id = id_of(content.text)
    tag = f"{TAG_PREFIX}{release_id[:_TAG_HEX_DIGITS]}"
    home.lake.set_tag(index["table"], tag, index["version"])
    stamp = {"tenant_id": home.tenant_id, "format": FORMAT, "aion_version": written_by(), "run_id": made.run_id}
    with home.database.write() as connection:
        _store(connection, _models.c.model_release_id, content.model_release_id, {"manifest": models.text, **stamp})
        of_index = {"tag": tag, "index_table": index["table"], "model_release_id": content.model_release_id}
        _store(connection, _releases.c.release_id, release_id, {"manifest": content.text, **of_index, **stamp})
        switch(connection, home.tenant_id, release_id, made.action, made.by)
    return read_release(home.database, release_id)


def switch(connection: Connection, tenant_id: str, release_id: str, action: str, by: str) -> None:
    """Make this release the current one and record the event. Call it inside a transaction."""
    before = current_in(connection, tenant_id)
    values = {"release_id": release_id, "since": now()}
    if before is None:
        connection.execute(insert(_current).values(tenant_id=tenant_id, **values))
    else:
        connection.execute(update(_current).where(_current.c.tenant_id == tenant_id).values(**values))
    record_event(connection, tenant_id, ReleaseEvent(action, release_id, before or "", by))


def current_release(database: Database, tenant_id: str) -> Release:
    """Raises NoReleaseError: nothing has been released yet. ReleaseError: this AION cannot read it."""
    found = current_release_id(database, tenant_id)
    if found is None:
        raise NoReleaseError("Nothing has been released yet.", "Add a source and run 'aion run'.")
    return read_release(database, found)


def current_release_id(database: Database, tenant_id: str) -> str | None:
    with database.read() as connection:
        return current_in(connection, tenant_id)


def current_in(connection: Connection, tenant_id: str) -> str | None:
    return connection.execute(select(_current.c.release_id).where(_current.c.tenant_id == tenant_id)).scalar()


def read_release(database: Database, release_id: str) -> Release:
    """Raises NoReleaseError: there is no release of that id. ReleaseError: this AION cannot read it."""
    with database.read() as connection:
        row = connection.execute(_whole().where(_releases.c.release_id == release_id)).first()
    if row is None:
        raise NoReleaseError(f"There is no release {release_id!r}.", "'aion release list' names them.")
    return _release(row)


def read_model_release(database: Database, model_release_id: str) -> ModelManifest:
    """Raises NoReleaseError: there is no model release of that id. ReleaseError: this AION cannot read it."""
    asked = select(_models).where(_models.c.model_release_id == model_release_id)
    with database.read() as connection:
        row = connection.execute(asked).first()
    if row is None:
        raise NoReleaseError(f"There is no model release {model_release_id!r}.", "'aion release list' names them.")
    return read_models(row.manifest, row.format, row.aion_version)


def list_releases(database: Database, tenant_id: str, limit: int | None = None) -> list[ReleaseRow]:
    """The newest first: in the order in which they were published, which no clock decides."""
    names = ("release_id", "model_release_id", "tag", "index_table", "aion_version", "run_id", "created_at")
    of_models = _models.c.created_at.label("models_created_at")
    joined = _releases.join(_models, _releases.c.model_release_id == _models.c.model_release_id)
    asked = select(*(_releases.c[name] for name in names), of_models).select_from(joined)
    asked = asked.where(_releases.c.tenant_id == tenant_id)
    with database.read() as connection:
        rows = [ReleaseRow(**row._asdict()) for row in connection.execute(asked)]
        place = published_order(connection, tenant_id)
    rows.sort(key=lambda row: (place.get(row.release_id, 0), row.created_at), reverse=True)
    return rows[:limit]


def first_release_at(database: Database, tenant_id: str) -> datetime:
    """Raises NoReleaseError: there is none."""
    with database.read() as connection:
        asked = select(func.min(tables.releases.c.created_at)).where(tables.releases.c.tenant_id == tenant_id)
        found: datetime | None = connection.execute(asked).scalar()
    if found is None:
        raise NoReleaseError("Nothing has been released yet.", "Run 'aion run'.")
    return found


def full_release_id(database: Database, tenant_id: str, given: str) -> str:
    """The id that begins so. Raises PrefixError: the beginning is too short or not of one release alone."""
    return full_id(database, _releases.c.release_id, given, _releases.c.tenant_id == tenant_id)


def full_model_release_id(database: Database, tenant_id: str, given: str) -> str:
    """The id that begins so. Raises PrefixError: the beginning is too short or not of one model release alone."""
    return full_id(database, _models.c.model_release_id, given, _models.c.tenant_id == tenant_id)


def _store(connection: Connection, key: Any, value: str, row: dict[str, Any]) -> None:
    """Store the release once: it may be published again, after a kill or after another release."""
    if connection.execute(select(key).where(key == value)).first() is None:
        connection.execute(insert(key.table).values({key.name: value, "created_at": now(), **row}))


def _whole() -> Select[Any]:
    models = (_models.c.manifest.label("models"), _models.c.format.label("models_format"))
    written = _models.c.aion_version.label("models_version")
    joined = _releases.join(_models, _releases.c.model_release_id == _models.c.model_release_id)
    return select(_releases, *models, written).select_from(joined)


def _release(row: Row[Any]) -> Release:
    return Release(
        release_id=row.release_id,
        tag=row.tag,
        content=read_content(row.manifest, row.format, row.aion_version, row.model_release_id),
        models=read_models(row.models, row.models_format, row.models_version),
        created_at=row.created_at,
        run_id=row.run_id,
    )


def _rows_of(index: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in index.items() if name != "version"}
