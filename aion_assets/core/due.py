"""What the pipeline owes: which sources need which kind of run, and why."""

import os
from dataclasses import dataclass
from pathlib import Path

from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.database import Database
from aion_assets.core.settings import Settings
from aion_assets.core.sources import CHANGES, SourceState, list_sources

INGEST, RECURATE = "ingest", "recurate"


@dataclass(frozen=True, slots=True)
class DueRun:
    job: str
    source_id: str
    why: str
    # The same key means the same work: a run that was asked for is not asked for twice.
    key: str


def due_runs(database: Database, settings: Settings, pipeline_version: str) -> list[DueRun]:
    """`pipeline_version` is the newest: a source that went through another one must go through it again."""
    due = []
    for state in list_sources(database, settings):
        why = state.due
        if not why and not state.source.paused and state.pipeline_version not in ("", pipeline_version):
            why = "pipeline changed"
        if why:
            job = RECURATE if why == CHANGES else INGEST
            due.append(DueRun(job, state.source.source_id, why, _key(state, job, pipeline_version)))
    return due


def folder_signatures(database: Database, settings: Settings) -> dict[str, str]:
    """Source → what its folder looks like from outside: number of files, their bytes, and the newest change."""
    signatures = {}
    for state in list_sources(database, settings):
        if state.source.kind in ("folder", "uploads") and not state.source.paused:
            uploads = state.source.kind == "uploads"
            folder = uploads_folder(settings, state.source.source_id) if uploads else Path(state.source.address)
            signatures[state.source.source_id] = _signature(folder)
    return signatures


def _signature(folder: Path) -> str:
    count = size = newest = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            try:
                found = (Path(parent) / name).stat()
            except FileNotFoundError:  # it went while we looked
                continue
            count, size, newest = count + 1, size + found.st_size, max(newest, found.st_mtime_ns)
    return f"{count}/{size}/{newest}"


def _key(state: SourceState, job: str, pipeline_version: str) -> str:
    collected = state.collected_at.isoformat() if state.collected_at else state.collection_id
    return f"{job}/{state.source.source_id}/{collected}/{state.asked}/{pipeline_version}"
