"""The files of one Lance table: make them durable, and repair those that a kill, a power cut or a full disk cut short.

Lance writes data and manifests so that a reader sees all or nothing, but it calls no fsync. It writes a tag in place: a
tag that a kill or a full disk cut short is an empty file, and that file breaks every listing of tags.
"""

import hashlib
import logging
import os
import stat
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from aion_assets.core.lake.durable import sync_folder

if TYPE_CHECKING:
    from lancedb.table import Table

logger = logging.getLogger(__name__)

# Lance refuses to clean past a tagged version.
_TAG_SLACK = timedelta(hours=1)
_SLACK_NS = 2_000_000_000  # file systems round times


def is_made(table: Path) -> bool:
    """Whether the table exists. A folder without manifest and data was left by a kill and does not count."""
    return any((table / "_versions").glob("*.manifest")) or any((table / "data").glob("*"))


def sync_newer(table: Path, started_ns: int) -> None:
    """fsync what a commit wrote: first files, then the folders that list them."""
    for parent, _, files in os.walk(table):
        touched = False
        for file in files:
            path = Path(parent) / file
            try:
                if path.stat().st_mtime_ns + _SLACK_NS < started_ns:
                    continue
                _sync(path)
            except FileNotFoundError:  # a reader's temporary file
                continue
            touched = True
        if touched:
            sync_folder(Path(parent))
    sync_folder(table)


def drop_unfinished_commit(table: Path) -> bool:
    """Set aside an empty newest manifest: power failed before its commit was acknowledged."""
    # Lance names manifests so that the newest sorts first.
    manifests = sorted((table / "_versions").glob("*.manifest"))
    if len(manifests) < 2 or manifests[0].stat().st_size or not manifests[1].stat().st_size:
        return False
    logger.warning("%s: the newest version was never finished; the one before is used.", table.stem)
    manifests[0].replace(manifests[0].with_suffix(".unfinished"))
    sync_folder(manifests[0].parent)
    return True


def drop_versions(table: Path, newest: int, kept: Collection[int], superseded_for: timedelta) -> int:
    """Drop the versions that were superseded so long ago, except `kept` and the newest; returns how many.

    Their files stay until Lance next cleans up. Only the table's writer may call this. It does nothing where Lance
    names its manifests otherwise: `kept` could not be told from the others.
    """
    # Lance names manifests so that the newest sorts first.
    manifests = sorted((table / "_versions").glob("*.manifest"))
    if not {*kept, newest} <= {_version_of(manifest) for manifest in manifests}:
        return 0
    limit = time.time() - superseded_for.total_seconds()
    old = [
        manifest
        for newer, manifest in pairwise(manifests)
        if newer.stat().st_mtime < limit and _version_of(manifest) not in {-1, *kept}
    ]
    for manifest in old:
        manifest.unlink()
    if old:
        sync_folder(table / "_versions")  # before the files that they name are deleted
    return len(old)


def age_of_oldest_tag(table: "Table") -> timedelta:
    """With some slack; 0 without tags."""
    tagged = {tag["version"] for tag in table.tags.list().values()}
    made = [version["timestamp"] for version in table.list_versions() if version["version"] in tagged]
    return datetime.now() - min(made) + _TAG_SLACK if made else timedelta(0)  # Lance tells local times without a zone


def drop_unfinished_tags(table: Path) -> list[str]:
    """Delete the tags that were cut short; returns their names. Only the table's writer may call this."""
    dropped = []
    for file in (table / "_refs" / "tags").glob("*.json"):
        if file.stat().st_size == 0:
            file.unlink()
            dropped.append(file.stem)
    return dropped


def has_tag(table: Path, tag: str) -> bool:
    file = table / "_refs" / "tags" / f"{tag}.json"
    return file.is_file() and file.stat().st_size > 0


def stamp(table: Path) -> str:
    """Changes with the name, size and times of every file but tags, which only name versions. The time of a change of
    the file's entry is among them: it cannot be set.
    """
    entries = []
    for file in table.rglob("*"):
        try:
            found = file.stat()
        except FileNotFoundError:  # a reader's temporary file
            continue
        if stat.S_ISREG(found.st_mode) and "_refs" not in file.parts[len(table.parts) :]:
            entries.append(f"{file.relative_to(table)} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}")
    return hashlib.sha256("\n".join(sorted(entries)).encode("utf-8", "surrogateescape")).hexdigest()


def stamp_of_versions(table: "Table") -> str:
    """The same for an object store, which never changes an object by itself."""
    versions = [f"{version['version']} {version['timestamp']}" for version in table.list_versions()]
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()


def size_bytes(table: Path) -> int:
    total = 0
    for parent, _, files in os.walk(table):
        for file in files:
            try:
                total += (Path(parent) / file).stat().st_size
            except FileNotFoundError:  # a reader's temporary file
                continue
    return total


def _version_of(manifest: Path) -> int:
    """Version in a manifest's name; -1 where the name has another form."""
    return 2**64 - 1 - int(manifest.stem) if manifest.stem.isdecimal() else -1


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
