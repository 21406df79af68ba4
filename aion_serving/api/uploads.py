"""Files that are handed in, stored in folders of the home. A file appears there whole or not at all."""

import filecmp
import io
import os
import re
import shutil
import tempfile
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from aion_assets.core.collect.uploads import ADDRESS, DUMPS, uploads_folder
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import DiskFullError, disk_trouble
from aion_assets.core.lake.durable import sync_folder
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import add_source, get_source, list_sources
from aion_serving.middleware.problems import RefusedError

_KIND = "uploads"
_LINK = ".url"
_MORE = "Use another source of uploads (aion source add uploads --name …), or raise the setting."
_making = threading.Lock()


def uploads_source(database: Database, settings: Settings, wanted: str = "") -> Source:
    """The uploads source of that id or name. For "", the first one; it is made when there is none.

    Raises SourceError: there is no such source. RefusedError: it is of another kind.
    """
    if wanted:
        source = get_source(database, settings, wanted).source
        if source.kind != _KIND:
            raise RefusedError(
                422, f"Source {source.source_id} is of kind {source.kind}.", "Files go into sources of kind uploads."
            )
        return source
    with _making:
        for state in list_sources(database, settings):
            if state.source.kind == _KIND:
                return state.source
        return add_source(database, settings, ADDRESS, kind=_KIND)


def plain_name(name: str, max_bytes: int) -> str:
    """The name in a form that every file system takes and that a collection does not skip as hidden or temporary."""
    composed = unicodedata.normalize("NFC", name)
    visible = "".join(char if char.isprintable() else " " for char in composed)
    plain = re.sub(r'[/\\:*?"<>|\s]+', "-", visible).lstrip(".~$-")
    stem, dot, extension = plain.rpartition(".")
    room = max_bytes - len((dot + extension).encode())
    if len(plain.encode()) <= max_bytes:
        return plain
    if room <= 0:  # the part after the last full stop is not an extension
        return plain.encode()[:max_bytes].decode("utf-8", "ignore")
    return stem.encode()[:room].decode("utf-8", "ignore") + dot + extension


def dump_source(database: Database, settings: Settings, file: Path) -> tuple[Source, bool]:
    """The source of this file with one document a line, and whether it was just made."""
    with _making:
        for state in list_sources(database, settings):
            if state.source.address == str(file):
                return state.source, False
        return add_source(database, settings, str(file)), True


@dataclass(frozen=True, slots=True)
class Quota:
    """Most files, bytes of them, and links in one folder."""

    files: int
    bytes: int
    links: int

    @classmethod
    def of(cls, settings: Settings) -> "Quota":
        return cls(settings.max_uploads, settings.max_upload_bytes, settings.max_links)


class UploadsFolder:
    def __init__(self, folder: Path, quota: Quota) -> None:
        self._folder = folder.resolve()
        self._quota = quota

    @classmethod
    def of_source(cls, settings: Settings, source: Source) -> "UploadsFolder":
        return cls(uploads_folder(settings, source.source_id), Quota.of(settings))

    @classmethod
    def of_dumps(cls, settings: Settings) -> "UploadsFolder":
        """The folder for dumps, beside the uploads. Every file in it is a source."""
        return cls(settings.home / DUMPS, Quota.of(settings))

    def path_of(self, name: str) -> Path:
        return self._folder / name

    def keep_text(self, name: str, text: str) -> bool:
        return self.keep(name, io.BytesIO(text.encode()), replace=True)

    def keep(self, name: str, content: BinaryIO, *, replace: bool) -> bool:
        """Store the file under that name, durably. Returns False when the same content is there already.

        Raises RefusedError: another file has the name, or there is no room for more. DiskFullError: no space is left.
        Then nothing is stored.
        """
        target = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._require_room(target, content.seek(0, os.SEEK_END))
            content.seek(0)
            part = self._write(content)
        except OSError as error:
            said = f"{name} cannot be stored"
            trouble = disk_trouble(error, said) or DiskFullError(f"{said}: {error.strerror}.", "See 'aion doctor'.")
            raise trouble from error
        try:
            if target.exists() and filecmp.cmp(part, target, shallow=False):
                return False
            if replace:
                part.replace(target)
            else:
                _link(part, target)
            sync_folder(self._folder)
            return True
        finally:
            part.unlink(missing_ok=True)

    def _require_room(self, target: Path, size_bytes: int) -> None:
        """What lies under the same name makes room: it is the same file, or is replaced by this one."""
        files = links = taken = 0
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name == target.name or entry.name.startswith("."):
                    continue
                links += entry.name.endswith(_LINK)
                files += not entry.name.endswith(_LINK)
                taken += entry.stat(follow_symlinks=False).st_size
        quota, is_link = self._quota, target.name.endswith(_LINK)
        if is_link and links >= quota.links:
            raise RefusedError(409, f"There are {links} links, and AION_MAX_LINKS is {quota.links}.", _MORE)
        if not is_link and files >= quota.files:
            raise RefusedError(409, f"There are {files} files, and AION_MAX_UPLOADS is {quota.files}.", _MORE)
        if taken + size_bytes > quota.bytes:
            raise RefusedError(
                413,
                f"With this file the source would have {taken + size_bytes} bytes, and AION_MAX_UPLOAD_BYTES is "
                f"{quota.bytes}.",
                _MORE,
            )

    def _write(self, content: BinaryIO) -> Path:
        # Hidden, so that a collection skips it.
        handle, path = tempfile.mkstemp(prefix=".", suffix=".part", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(content, file, 1 << 20)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            Path(path).unlink(missing_ok=True)
            raise
        return Path(path)


def _link(part: Path, target: Path) -> None:
    """Link the file to its name. Unlike a rename, a link never replaces a file that came in between."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise RefusedError(
            409,
            f"There is another file named {target.name}.",
            "Give it another name, or send replace=true to put this one in its place.",
        ) from None
