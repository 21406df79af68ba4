"""Watched folders: every file below a folder, in a fixed order."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aion_assets.core.collect.beneath import Beneath, Entry, Parts
from aion_assets.core.collect.connector import CollectionJob, CollectionReport, Emit, Progress, ReportProgress
from aion_assets.core.collect.places import is_passed_over, local_path, storable, unresolved_path
from aion_assets.core.collect.responses import body_is_held, unforeseen
from aion_assets.core.errors import SourceError
from aion_assets.core.fetch.file_types import TYPE_OF_EXTENSION
from aion_assets.core.fetch.media import extension_of
from aion_assets.core.ids import content_hash
from aion_assets.core.records import CollectedPage, KnownPage, Outcome

ROOT_LOCATOR = "."


@dataclass(slots=True)
class FoundFile:
    """`parts` is its place, `content` the place of what it links to, or its own."""

    parts: Parts
    content: Parts
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
        return unresolved_path(address)

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
            self._visit_all(empty_is_suspicious)
        self._report.complete = not self._report.failure
        self._report.seconds = time.monotonic() - started
        return self._report

    def _visit_all(self, empty_is_suspicious: bool) -> None:
        try:
            self._tree = Beneath(self._root)
        except OSError as error:
            self._stop(f"{_words(error)}, so the folder cannot be listed")
            return
        with closing(self._tree):
            for found in self._files():
                page = self._known.get(found.locator)
                if page is not None and page.collection_id == self._report.collection_id:
                    self._report.resumed += 1
                else:
                    self._record(self._visit(found, page))
        rows_of_files = self._report.counts.total() - len(self._report.unread)
        if empty_is_suspicious and not rows_of_files and not self._report.resumed:
            self._stop("the folder holds no files")

    def read_special(self, found: FoundFile, known: KnownPage | None) -> CollectedPage | None:
        """The outcome of a file whose extension stands for something other than a document; None for all others."""
        return None

    def _files(self) -> Iterator[FoundFile]:
        """Depth first, sorted by the bytes of the names. What cannot be listed makes the collection incomplete."""
        waiting = [self._entries(())]
        while waiting:
            entry = next(waiting[-1], None)
            if entry is None:
                waiting.pop()
                continue
            parts, found = entry
            if found is None:
                waiting.append(self._entries(parts))
            elif isinstance(found, CollectedPage):
                self._record(found)
            else:
                yield found

    def _entries(self, folder: Parts) -> Iterator[tuple[Parts, FoundFile | CollectedPage | None]]:
        """What is in a folder: a file to visit, None for a folder, and the outcome of what is neither."""
        try:
            listed = self._tree.list(folder)
        except OSError as error:
            self._stop(f"{_words(error)}, so the folder cannot be listed", self._locator(folder))
            return
        for entry in listed:
            parts = (*folder, entry.name)
            if is_passed_over(self._path(parts), self.settings):
                continue
            if entry.is_folder:
                yield parts, None
                continue
            try:
                found = self._look_at(entry, parts)
            except FileNotFoundError:  # it vanished meanwhile
                continue
            except OSError as error:  # its folder may be listed but not entered
                found = self._row(parts, Outcome.ERROR, _words(error))
            except Exception as error:
                found = self._row(parts, Outcome.ERROR, unforeseen(error))
            if found is not None:
                yield parts, found

    def _look_at(self, entry: Entry, parts: Parts) -> FoundFile | CollectedPage | None:
        """Sort what is no folder. A link counts only where it leads to another place of this folder."""
        if entry.is_file:
            return FoundFile(parts, parts, self._locator(parts), self._tree.status(parts))
        if not entry.is_link:
            return self._row(parts, Outcome.WRONG_TYPE, "not a regular file")
        target = self._target(parts)
        if target is None:
            return self._row(parts, Outcome.OFF_DOMAIN, "a link that leads out of the folder, or nowhere")
        status = self._tree.status(target) if target else None
        if status is None or stat.S_ISDIR(status.st_mode):  # a folder inside: its files are found at their own place
            return None
        if not stat.S_ISREG(status.st_mode):
            return self._row(parts, Outcome.WRONG_TYPE, "not a regular file")
        return FoundFile(parts, target, self._locator(parts), status)

    def _target(self, link: Parts) -> Parts | None:
        """Where the link leads to, None where that is outside or nowhere. It is then opened as any other place."""
        try:
            return self._path(link).resolve(strict=True).relative_to(self._root).parts
        except (OSError, RuntimeError, ValueError):  # dangling, a circle, or outside
            return None

    def _visit(self, found: FoundFile, known: KnownPage | None) -> CollectedPage:
        try:
            return self._outcome_of(found, known)
        except Exception as error:  # one file must not cost the others
            return self._row(found.parts, Outcome.ERROR, unforeseen(error))

    def _outcome_of(self, found: FoundFile, known: KnownPage | None) -> CollectedPage:
        if (special := self.read_special(found, known)) is not None:
            return special
        extension = extension_of(found.locator)
        if extension not in TYPE_OF_EXTENSION:
            hint = "; add it as a source of its own: aion source add FILE.jsonl" if extension == "jsonl" else ""
            return self._row(found.parts, Outcome.WRONG_TYPE, f"{extension or 'no extension'} is not taken{hint}")
        page = self._row(found.parts, Outcome.STORED)
        page.etag = _etag(found.status)
        page.content_type = TYPE_OF_EXTENSION[extension]
        page.size_bytes = found.status.st_size
        held = known if body_is_held(known) else None
        if found.status.st_size > self.settings.max_fetch_bytes:
            page.outcome = Outcome.TOO_BIG
            page.reason = f"{found.status.st_size} bytes; at most {self.settings.max_fetch_bytes} are taken"
        elif held is not None and held.etag == page.etag:
            page.outcome, page.content_hash = Outcome.UNCHANGED, held.content_hash
        else:
            self._read(page, found, held)
        return page

    def content(self, found: FoundFile, max_bytes: int) -> tuple[bytes, os.stat_result]:
        """Raises OSError: it cannot be read, or has more bytes."""
        return self._tree.read(found.content, max_bytes)

    def _read(self, page: CollectedPage, found: FoundFile, held: KnownPage | None) -> None:
        try:
            body, status = self.content(found, self.settings.max_fetch_bytes)
        except OSError as error:
            page.outcome, page.reason, page.etag = Outcome.ERROR, _words(error), ""
            return
        page.etag = _etag(status)  # of what was read, which may be newer than what was listed
        page.content_hash = content_hash(body)
        page.size_bytes = len(body)
        self._report.fetched_bytes += len(body)
        if held is not None and held.content_hash == page.content_hash:
            page.outcome = Outcome.UNCHANGED
        else:
            page.body = body

    def _row(self, parts: Parts, outcome: Outcome, reason: str = "") -> CollectedPage:
        locator = self._locator(parts)
        return CollectedPage(
            locator=locator,
            url=self.address(parts),
            outcome=outcome,
            reason=reason,
            fetched_at=datetime.now(UTC),
            filename=locator.rpartition("/")[2],
        )

    def address(self, parts: Parts) -> str:
        return self._path(parts).as_uri()

    def _path(self, parts: Parts) -> Path:
        return self._root.joinpath(*parts)

    @staticmethod
    def _locator(parts: Parts) -> str:
        return storable(os.fsencode("/".join(parts))) if parts else ROOT_LOCATOR

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


def _etag(status: os.stat_result) -> str:
    # The number of the file tells apart what was written within one tick of the clock, as copies of a folder are.
    return f"{status.st_mtime_ns}-{status.st_size}-{status.st_ino}"


def _words(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
