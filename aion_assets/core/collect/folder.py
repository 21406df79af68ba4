"""Watched folders: every file below a folder, in a fixed order."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from aion_assets.core.collect.connector import CollectionJob, CollectionReport, Emit, Progress, ReportProgress
from aion_assets.core.collect.responses import body_is_held, unforeseen
from aion_assets.core.errors import SourceError
from aion_assets.core.fetch.file_types import TYPE_OF_EXTENSION
from aion_assets.core.fetch.media import extension_of
from aion_assets.core.ids import content_hash
from aion_assets.core.records import CollectedPage, KnownPage, Outcome
from aion_assets.core.settings import Settings

ROOT_LOCATOR = "."
# Work files that programs put beside documents. Nobody means them to be read.
_TEMPORARY_SUFFIXES = ("~", ".tmp", ".temp", ".swp", ".swo", ".part", ".partial", ".crdownload", ".download", ".lock")
_TEMPORARY_NAMES = frozenset({"thumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "__macosx"})


@dataclass(slots=True)
class FoundFile:
    path: Path
    locator: str
    status: os.stat_result


class FolderConnector:
    kind = "folder"

    @classmethod
    def accepts(cls, address: str) -> bool:
        if local_path(address).is_dir():
            return True
        looks_local = address.startswith(("/", "./", "../", "~", "file:")) and not address.lower().endswith(".jsonl")
        if looks_local:
            cls.normal_address(address)
        return False

    @classmethod
    def normal_address(cls, address: str) -> str:
        path = local_path(address)
        if not path.exists():
            raise SourceError(f"There is no folder {address!r}.", "Give the path of an existing folder.")
        if not path.is_dir():
            raise SourceError(
                f"{address!r} is a file.", "Give the folder that holds it, or a .jsonl file with one document a line."
            )
        return str(path)

    def collect(self, job: CollectionJob, emit: Emit, progress: ReportProgress) -> CollectionReport:
        visit = FolderVisit(local_path(job.source.address), job, emit, progress)
        return visit.run(empty_is_suspicious=True)


class FolderVisit:
    """One collection of one folder. Subclasses add file types by overriding `read_special`."""

    def __init__(self, root: Path, job: CollectionJob, emit: Emit, progress: ReportProgress) -> None:
        self.settings = job.settings
        self._root = root
        self._known = job.known
        self._emit = emit
        self._progress = progress
        self._state = Progress()
        self._report = CollectionReport(job.collection_id)

    def run(self, empty_is_suspicious: bool) -> CollectionReport:
        """`empty_is_suspicious`: treat a folder without files as an unmounted disk, not as an emptied folder."""
        started = time.monotonic()
        if not self._root.is_dir():
            self._stop("the folder does not exist")
        else:
            for found in self._files(self._root):
                page = self._known.get(found.locator)
                if page is not None and page.collection_id == self._report.collection_id:
                    self._report.resumed += 1
                else:
                    self._record(self._visit(found, page))
            rows_of_files = self._report.counts.total() - len(self._report.unread)
            if empty_is_suspicious and not rows_of_files and not self._report.resumed:
                self._stop("the folder holds no files")
        self._report.complete = not self._report.failure
        self._report.seconds = time.monotonic() - started
        return self._report

    def read_special(self, found: FoundFile, known: KnownPage | None) -> CollectedPage | None:
        """The outcome of a file whose extension stands for something other than a document; None for all others."""
        return None

    def _files(self, folder: Path) -> Iterator[FoundFile]:
        """Depth first, sorted by the bytes of the names. What cannot be listed makes the collection incomplete."""
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            self._stop(f"{_words(error)}, so the folder cannot be listed", self._locator(folder))
            return
        for entry in listed:
            path = Path(entry.path)
            if is_passed_over(path, self.settings):
                continue
            try:
                found = self._look_at(entry, path)
            except FileNotFoundError:  # it vanished meanwhile
                continue
            except OSError as error:  # its folder may be listed but not entered
                found = self._row(path, Outcome.ERROR, _words(error))
            except Exception as error:
                found = self._row(path, Outcome.ERROR, unforeseen(error))
            if isinstance(found, Path):
                yield from self._files(found)
            elif isinstance(found, CollectedPage):
                self._record(found)
            elif found is not None:
                yield found

    def _look_at(self, entry: os.DirEntry[str], path: Path) -> FoundFile | CollectedPage | Path | None:
        """Sort an entry: a file to visit, a folder to go into, or the outcome of what is neither."""
        if entry.is_symlink() and not self._stays_inside(path):
            return self._row(path, Outcome.OFF_DOMAIN, "a link that leads out of the folder, or nowhere")
        if entry.is_dir(follow_symlinks=False):
            return path
        if entry.is_file():
            return FoundFile(path, self._locator(path), entry.stat())
        if entry.is_dir():  # a link to a folder inside: its files are found at their own place
            return None
        return self._row(path, Outcome.WRONG_TYPE, "not a regular file")

    def _stays_inside(self, path: Path) -> bool:
        try:
            return path.resolve(strict=True).is_relative_to(self._root)
        except (OSError, RuntimeError):  # dangling, or a circle
            return False

    def _visit(self, found: FoundFile, known: KnownPage | None) -> CollectedPage:
        try:
            return self._outcome_of(found, known)
        except Exception as error:  # one file must not cost the others
            return self._row(found.path, Outcome.ERROR, unforeseen(error))

    def _outcome_of(self, found: FoundFile, known: KnownPage | None) -> CollectedPage:
        if (special := self.read_special(found, known)) is not None:
            return special
        extension = extension_of(found.locator)
        if extension not in TYPE_OF_EXTENSION:
            hint = "; add it as a source of its own: aion source add FILE.jsonl" if extension == "jsonl" else ""
            return self._row(found.path, Outcome.WRONG_TYPE, f"{extension or 'no extension'} is not taken{hint}")
        page = self._row(found.path, Outcome.STORED)
        page.etag = f"{found.status.st_mtime_ns}-{found.status.st_size}"
        page.content_type = TYPE_OF_EXTENSION[extension]
        page.size_bytes = found.status.st_size
        held = known if body_is_held(known) else None
        if found.status.st_size > self.settings.max_fetch_bytes:
            page.outcome = Outcome.TOO_BIG
            page.reason = f"{found.status.st_size} bytes; at most {self.settings.max_fetch_bytes} are taken"
        elif held is not None and held.etag == page.etag:
            page.outcome, page.content_hash = Outcome.UNCHANGED, held.content_hash
        else:
            self._read(page, found.path, held)
        return page

    def _read(self, page: CollectedPage, path: Path, held: KnownPage | None) -> None:
        try:
            body = _read_regular(path, self.settings.max_fetch_bytes)
        except OSError as error:
            page.outcome, page.reason, page.etag = Outcome.ERROR, _words(error), ""
            return
        page.content_hash = content_hash(body)
        page.size_bytes = len(body)
        self._report.fetched_bytes += len(body)
        if held is not None and held.content_hash == page.content_hash:
            page.outcome = Outcome.UNCHANGED
        else:
            page.body = body

    def _row(self, path: Path, outcome: Outcome, reason: str = "") -> CollectedPage:
        locator = self._locator(path)
        return CollectedPage(
            locator=locator,
            url=path.as_uri(),
            outcome=outcome,
            reason=reason,
            fetched_at=datetime.now(UTC),
            filename=locator.rpartition("/")[2],
        )

    def _locator(self, path: Path) -> str:
        return storable(os.fsencode(path.relative_to(self._root).as_posix()))

    def _stop(self, why: str, locator: str = ROOT_LOCATOR) -> None:
        self._report.failure = self._report.failure or why
        if locator == ROOT_LOCATOR:
            self._report.unreachable = True
        else:
            self._report.unread.append(locator)
        page = CollectedPage(
            locator=locator,
            url=self._root.as_uri(),
            outcome=Outcome.ERROR,
            reason=why,
            fetched_at=datetime.now(UTC),
        )
        self._record(page)

    def _record(self, page: CollectedPage) -> None:
        self._emit(page)
        self._report.counts[page.outcome] += 1
        self._state.done += 1
        self._state.stored += page.outcome is Outcome.STORED
        self._state.current = page.locator
        self._state.bytes += len(page.body or b"")
        self._progress(self._state)


def local_path(address: str) -> Path:
    """The absolute path that an address or a file: URI names."""
    if address.startswith("file:"):
        address = unquote(urlsplit(address).path, errors="surrogateescape")
    if not address:
        raise SourceError("The address is empty.", "Give the path of an existing folder.")
    try:
        return Path(address).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, an unknown user, a NUL
        raise SourceError(f"{address!r} is not a path: {error}.", "Give the path of an existing folder.") from None


def storable(name: bytes) -> str:
    r"""A file name as text that every table can hold: bytes that are not UTF-8 become \xNN, and a backslash two."""
    return name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def is_passed_over(path: Path, settings: Settings) -> bool:
    """Whether a file or folder is hidden, temporary, or one of AION's own, which change with every collection."""
    lowered = path.name.lower()
    return (
        lowered.startswith((".", "~$"))
        or lowered.endswith(_TEMPORARY_SUFFIXES)
        or lowered in _TEMPORARY_NAMES
        or str(path) in (str(settings.home), settings.lake_uri)
    )


def walk(root: Path, settings: Settings) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder from the root down that a collection goes into, with its files."""
    for parent, folders, files in os.walk(root):
        here = Path(parent)
        folders[:] = [name for name in folders if not is_passed_over(here / name, settings)]
        yield here, [path for name in files if not is_passed_over(path := here / name, settings)]


def _read_regular(path: Path, max_bytes: int) -> bytes:
    """Read without blocking: what was listed as a file may have become a pipe that never ends."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            _refuse("is no longer a regular file")
        body = file.read(max_bytes + 1)
        if len(body) > max_bytes:
            _refuse("grew beyond the limit while it was read")
        return body


def _refuse(why: str) -> NoReturn:
    raise OSError(0, why)


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
