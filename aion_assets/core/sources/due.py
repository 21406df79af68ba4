"""What is due: which sources need which kind of run, and why."""

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

from aion_assets.core.collect.places import walk
from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.database.engine import Database
from aion_assets.core.settings import Settings
from aion_assets.core.sources.state import CHANGES, SourceState, is_ahead
from aion_assets.core.sources.store import list_sources

INGEST, RECURATE = "ingest", "recurate"
# The kernel stamps files with a coarse clock, which may be behind ours by a tick.
_CLOCK_TICK_S = 0.01


@dataclass(frozen=True, slots=True)
class DueRun:
    job: str
    source_id: str
    why: str
    # The same key means the same work: a run is not requested twice.
    key: str
    # When a person, or a change in the folder, last asked for a collection.
    asked_at: datetime | None = None


def due_runs(
    database: Database, settings: Settings, pipeline_version: str, *, look_into_folders: bool = False
) -> list[DueRun]:
    """`pipeline_version` is the newest. A source that went through another one is due again.

    `look_into_folders` also finds folders in which something changed since they were collected.
    """
    due = []
    for state in list_sources(database, settings):
        why = state.due
        if not why and state.pipeline_version not in ("", pipeline_version):
            why = "pipeline changed"
        if not why and look_into_folders and _touched(settings, state):
            why = "files changed"
        if why:
            job = RECURATE if why == CHANGES or state.source.paused else INGEST
            key = _key(state, job, pipeline_version)
            due.append(DueRun(job, state.source.source_id, why, key, state.collection_requested_at))
    return due


def _touched(settings: Settings, state: SourceState) -> bool:
    """Whether a file, or a folder whose entries changed, is newer than the last collection."""
    place = Path(state.source.address) if state.source.kind == "jsonl" else _folder_of(settings, state)
    if place is None or state.source.paused or state.collection_started_at is None:
        return False
    if is_ahead(state.collection_started_at):
        return True
    return _newest_change(place, settings) > state.collection_started_at.timestamp() - _CLOCK_TICK_S


def _newest_change(place: Path, settings: Settings) -> float:
    """Skips what cannot be read, such as a circle of links: the collection records what is wrong with it.

    A time in the future is ignored. The folder's own time shows that the file came.
    """
    newest, latest = 0.0, time.time()
    inside = (path for folder, files in walk(place, settings) for path in (folder, *files))
    with suppress(OSError):  # a link that was moved on is newer than the folder that it leads to
        newest = min(place.lstat().st_mtime, latest)
    for path in chain((place,), inside):
        with suppress(OSError):
            changed_at = path.stat().st_mtime
            newest = max(newest, changed_at if changed_at <= latest else 0.0)
    return newest


def _folder_of(settings: Settings, state: SourceState) -> Path | None:
    if state.source.kind == "uploads":
        return uploads_folder(settings, state.source.source_id)
    return Path(state.source.address) if state.source.kind == "folder" else None


def touched_sources(database: Database, settings: Settings) -> frozenset[str]:
    """The sources whose folder or file changed since they were collected."""
    return frozenset(state.source.source_id for state in list_sources(database, settings) if _touched(settings, state))


def folder_signatures(database: Database, settings: Settings) -> dict[str, str]:
    """Source → what its folder looks like from outside: number of files, their bytes, and the newest change."""
    signatures = {}
    for state in list_sources(database, settings):
        folder = _folder_of(settings, state)
        if folder is not None and not state.source.paused:
            signatures[state.source.source_id] = _signature(folder, settings)
    return signatures


def _signature(folder: Path, settings: Settings) -> str:
    """Skips the same files as `_newest_change`."""
    count = size = newest = 0
    for _, files in walk(folder, settings):
        for path in files:
            with suppress(OSError):
                found = path.stat()
                count, size, newest = count + 1, size + found.st_size, max(newest, found.st_mtime_ns)
    return f"{count}/{size}/{newest}"


def _key(state: SourceState, job: str, pipeline_version: str) -> str:
    collected = state.collected_at.isoformat() if state.collected_at else state.collection_id
    return f"{job}/{state.source.source_id}/{collected}/{state.asked}/{pipeline_version}"
