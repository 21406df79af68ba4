"""Dumps: a file with one JSON document a line, {"_id" | "id" | "url", "title", "text", …}, read as a stream."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlsplit

from aion_assets.core.collect.connector import CollectionJob, CollectionReport, Emit, Progress, ReportProgress
from aion_assets.core.collect.folder import ROOT_LOCATOR
from aion_assets.core.collect.places import local_path, unresolved_path
from aion_assets.core.collect.responses import body_is_held, unforeseen
from aion_assets.core.errors import SourceError
from aion_assets.core.fetch.urls import canonical_url
from aion_assets.core.ids import content_hash
from aion_assets.core.records import CollectedPage, Outcome

CONTENT_TYPE = "application/x-ndjson"
SUFFIXES = (".jsonl", ".ndjson")
_ID_FIELDS = ("_id", "id", "url")
MAX_ID_LENGTH = 1_000
ANY_SITE = "*"
_HASH_DIGITS = 16
_PROGRESS_EVERY = 100


@dataclass(slots=True)
class Line:
    """`body` is cut where the line exceeds the limit. `ends`: a line break closed it."""

    number: int
    body: bytes
    size_bytes: int
    ends: bool


class JsonlConnector:
    kind = "jsonl"

    @classmethod
    def accepts(cls, address: str) -> bool:
        if not address.lower().endswith(SUFFIXES) or "://" in address.removeprefix("file://"):
            return False
        if local_path(address).is_dir():
            return False
        cls.normal_address(address)
        return True

    @classmethod
    def normal_address(cls, address: str) -> str:
        path = local_path(address)
        if not path.is_file():
            raise SourceError(f"There is no file {address!r}.", "Give a .jsonl file with one document a line.")
        return unresolved_path(address)

    def collect(self, job: CollectionJob, emit: Emit, progress: ReportProgress) -> CollectionReport:
        started = time.monotonic()
        path = local_path(job.source.address)
        visit = _JsonlVisit(path, job, emit, progress)
        try:
            with path.open("rb") as file:
                visit.read(file)
        except OSError as error:
            visit.fail(f"{(error.strerror or 'unreadable').lower()}, so the file cannot be read")
        visit.report.complete = not visit.report.failure
        visit.report.seconds = time.monotonic() - started
        return visit.report


class _JsonlVisit:
    def __init__(self, path: Path, job: CollectionJob, emit: Emit, progress: ReportProgress) -> None:
        self.report = CollectionReport(job.collection_id)
        self._path = path
        self._max_bytes = job.settings.max_fetch_bytes
        self._known = job.known
        self._domains = job.source.allow_domains
        self._emit = emit
        self._progress = progress
        self._state = Progress()
        self._seen: set[bytes] = set()  # digests of locators: a dump may hold millions of long ids

    def read(self, file: IO[bytes]) -> None:
        line = None
        for line in _lines(file, self._max_bytes):
            self.report.fetched_bytes += line.size_bytes
            if line.body.strip():
                self._visit(line)
        if line is None or (not self._state.done and not self.report.resumed):
            self.fail("the file holds no documents")
        self._progress(self._state)

    def fail(self, why: str) -> None:
        self.report.failure = self.report.failure or why
        self.report.unreachable = True
        self._record(self._row(ROOT_LOCATOR, self._path.as_uri(), Outcome.ERROR, why))

    def _visit(self, line: Line) -> None:
        if line.size_bytes > self._max_bytes:
            reason = f"line {line.number} has {line.size_bytes} bytes; at most {self._max_bytes} are taken"
            self._record_once(self._bad_row(line, Outcome.TOO_BIG, reason))
            return
        try:
            record = _parse(line.body)
        except ValueError as error:
            self._record_once(self._bad_row(line, Outcome.ERROR, f"line {line.number} {error}"))
            if not line.ends:
                self.report.failure = f"line {line.number}, the last one, is cut off"
            return
        try:
            page = self._document_row(record, line)
        except Exception as error:  # one line must not cost the others
            self._record_once(self._bad_row(line, Outcome.ERROR, f"line {line.number}: {unforeseen(error)}"))
            return
        if not self._record_once(page):
            reason = f"line {line.number} repeats an id"
            again = self._row(f"{page.locator}~{page.content_hash[:_HASH_DIGITS]}", page.url, Outcome.DUPLICATE, reason)
            again.links = (page.locator,)
            self._record_once(again)

    def _document_row(self, record: dict[str, Any], line: Line) -> CollectedPage:
        body = line.body.strip()
        digest = content_hash(body)
        locator = _id_of(record) or digest[:_HASH_DIGITS]
        page = self._row(locator, self._url_of(record, locator), Outcome.STORED)
        page.content_type, page.filename = CONTENT_TYPE, f"{locator}.jsonl"
        page.content_hash, page.size_bytes = digest, len(body)
        known = self._known.get(locator)
        if known is not None and body_is_held(known) and known.content_hash == digest:
            page.outcome = Outcome.UNCHANGED
        else:
            page.body = body
        return page

    def _url_of(self, record: dict[str, Any], locator: str) -> str:
        url, known = record.get("url"), self._known.get(locator)
        is_address = isinstance(url, str) and url.isprintable() and canonical_url(url)
        if isinstance(url, str) and is_address:
            stood_before = known is not None and known.url == url  # it was decided on so
            if stood_before or may_claim(url, self._domains):
                return url
        return f"{self._path.as_uri()}#{quote(locator)}"

    def _bad_row(self, line: Line, outcome: Outcome, reason: str) -> CollectedPage:
        locator = f"bad-line-{content_hash(line.body)[:_HASH_DIGITS]}"
        return self._row(locator, self._path.as_uri(), outcome, reason)

    def _row(self, locator: str, url: str, outcome: Outcome, reason: str = "") -> CollectedPage:
        return CollectedPage(
            locator=locator,
            url=url,
            outcome=outcome,
            reason=reason,
            fetched_at=datetime.now(UTC),
        )

    def _record_once(self, page: CollectedPage) -> bool:
        """Record the locator; False when this file held it before."""
        digest = bytes.fromhex(content_hash(page.locator.encode())[: 2 * _HASH_DIGITS])
        if digest in self._seen:
            return False
        self._seen.add(digest)
        known = self._known.get(page.locator)
        if known is not None and known.collection_id == self.report.collection_id:
            self.report.resumed += 1
        else:
            self._record(page)
        return True

    def _record(self, page: CollectedPage) -> None:
        self._emit(page)
        self.report.counts[page.outcome] += 1
        self._state.done += 1
        self._state.stored += page.outcome is Outcome.STORED
        self._state.current = page.locator
        self._state.bytes += len(page.body or b"")
        if self._state.done % _PROGRESS_EVERY == 0:
            self._progress(self._state)


def may_claim(url: str, domains: Sequence[str]) -> bool:
    """Whether a line may say that it stands at this address: its host is one of `domains` or below one, or "*" is
    among them. Otherwise a citation would vouch for a page that never held the text.
    """
    host = (urlsplit(url).hostname or "").lower().removeprefix("www.")
    allowed = [domain.strip().lower().removeprefix("www.") for domain in domains]
    return ANY_SITE in allowed or any(host == domain or host.endswith(f".{domain}") for domain in allowed if domain)


def _lines(file: IO[bytes], max_bytes: int) -> Iterator[Line]:
    """Read line by line; hold at most `max_bytes` of a line."""
    number = 0
    while body := file.readline(max_bytes + 2):
        number += 1
        size = len(body)
        last = body
        while not last.endswith(b"\n") and (last := file.readline(max_bytes)):
            size += len(last)
        ends = (last or body).endswith(b"\n")
        if number == 1:
            body = body.removeprefix(b"\xef\xbb\xbf")
        yield Line(number, body, size - ends, ends)


def _parse(body: bytes) -> dict[str, Any]:
    """Raises ValueError: what is wrong with the line, worded to follow its number."""
    try:
        record = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at column {error.colno}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets in brackets
        raise ValueError("is not JSON that can be read") from None
    if not isinstance(record, dict):
        raise ValueError("is not a JSON object")
    return record


def _id_of(record: dict[str, Any]) -> str:
    for name in _ID_FIELDS:
        value = record.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and value.strip() and len(value) <= MAX_ID_LENGTH and _is_storable(value):
            return value.strip()
    return ""


def _is_storable(text: str) -> bool:
    """JSON can spell a lone surrogate, which no table can store, and NUL, which PostgreSQL cannot."""
    return not any("\ud800" <= character <= "\udfff" or character == "\0" for character in text)
