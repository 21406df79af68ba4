"""Fill the table `documents`: parse every stored body once, and again when the body or a parser changes."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from aion_assets.core.curate.near_duplicates import simhash
from aion_assets.core.curate.quality import quality
from aion_assets.core.database.engine import now
from aion_assets.core.ids import digest, doc_id
from aion_assets.core.lake.conditions import both, quoted
from aion_assets.core.lake.diff import RowDiff, RowSetVersion, diff_rows
from aion_assets.core.lake.store import WRITE_ROWS, Lake
from aion_assets.core.lake.tables import BODIES, DOCUMENTS, PAGES
from aion_assets.core.parse.formats.ocr import can_read_images
from aion_assets.core.parse.sandbox.pool import ParseJob, parse_all
from aion_assets.core.records import ParsedDocument, ParseOutcome, QuarantineReason
from aion_assets.core.settings import Settings
from aion_assets.core.sources import progress
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.report import StepReport

PARSED, QUARANTINED = "parsed", "quarantined"
IS_PARSED = f"state = {quoted(PARSED)}"
_READ_BODIES = 16
# Every commit makes the next one slower. A commit of many small documents costs no more than one of few.
_BATCH_ROWS = WRITE_ROWS
_BATCH_CHARS = 8_000_000
_BATCH_AGE_S = 5.0
# The obstacle of these may go away: they are parsed again under other conditions, and so are partial documents.
_MAY_SUCCEED = frozenset({QuarantineReason.TIMEOUT, QuarantineReason.MEMORY, QuarantineReason.OCR_MISSING})


def parse_source(run: SourceRun, code_version: str) -> StepReport:
    """Bring the source's documents up to its pages. A body that cannot be parsed is quarantined with its reason."""
    with run.lake.lock(f"parse-{run.source_id}"), progress.noted(run.database, run.source_id, progress.PARSED):
        return _parse(run, code_version)


def _parse(run: SourceRun, code_version: str) -> StepReport:
    lake, settings, of_source = run.lake, run.settings, run.of_source
    started = time.monotonic()
    difference, page_keys, first_seen = RowDiff(), [], {}
    for part in lake.ranges("location_id", PAGES.name, DOCUMENTS.name, where=of_source):
        has_body = both(both(of_source, "content_hash <> ''"), part)
        page_of = {
            doc_id(row["page_key"]): row for row in lake.rows(PAGES.name, ["page_key", "content_hash"], has_body)
        }
        columns = ["doc_id", "page_hash", "code_version", "first_seen"]
        documents = {row["doc_id"]: row for row in lake.rows(DOCUMENTS.name, columns, both(of_source, part))}
        stored = {key: f"{row['page_hash']}/{row['code_version']}" for key, row in documents.items()}
        wanted = {key: f"{row['content_hash']}/{code_version}" for key, row in page_of.items()}
        for key, row in documents.items():
            if row["code_version"] != code_version and key in wanted:  # other version or other conditions
                wanted[key] += f"/{_conditions(settings)}"
        here = diff_rows(stored, wanted)
        difference.add(here)
        page_keys += [page_of[key]["page_key"] for key in here.due]
        first_seen.update({key: documents[key]["first_seen"] for key in here.changed})

    writer = _DocumentWriter(run, code_version, first_seen)
    for done, outcome in enumerate(parse_all(writer.jobs(page_keys), settings=settings), 1):
        writer.add(outcome)
        run.show(done, len(page_keys), "parsing")
    writer.flush()
    lake.delete(DOCUMENTS.name, "doc_id", difference.orphaned)
    return _report(lake, of_source, difference, started)


def shown_version(content_hash: str, row: Mapping[str, Any]) -> str:
    """Version of all that search and citations show of a document. `row` holds its `lang` and `url`."""
    return f"{content_hash}/{row['lang'] or ''}/{row['url']}"


def quarantine(run: SourceRun, document: Mapping[str, Any], detail: str) -> None:
    """Leave out a document that a later step cannot get done with in time, until it or its time limit changes."""
    (row,) = run.lake.rows_by_key(DOCUMENTS.name, DOCUMENTS.schema.names, {"doc_id": [document["doc_id"]]})
    code_version = row["code_version"].partition("/")[0]
    row |= {
        "state": QUARANTINED,
        "reason": str(QuarantineReason.TIMEOUT),
        "detail": detail,
        "content_hash": "",
        "text": None,
        "code_version": f"{code_version}/{_conditions(run.settings)}",
        "run_id": run.run_id,
    }
    run.lake.upsert(DOCUMENTS, [row])


def _conditions(settings: Settings) -> str:
    ocr = "ocr" if can_read_images() else "no ocr"
    return f"{settings.parse_timeout_s:g} s, {settings.parse_memory_bytes} bytes, {ocr}"


def _report(lake: Lake, of_source: str, difference: RowDiff, started: float) -> StepReport:
    report = StepReport(seconds=time.monotonic() - started)
    report.counts.update(difference.counts())
    version = RowSetVersion()
    for row in lake.rows(DOCUMENTS.name, ["doc_id", "content_hash", "lang", "url", "state", "reason"], of_source):
        report.counts[row["state"]] += 1
        if row["state"] == QUARANTINED:
            report.drops[row["reason"]] += 1
        version.add(row["doc_id"], shown_version(row["content_hash"], row))
    report.rows, report.data_version = version.rows, str(version)
    return report


class _DocumentWriter:
    def __init__(self, run: SourceRun, code_version: str, first_seen: dict[str, Any]) -> None:
        self._lake = run.lake
        self._source = run.source
        self._code_version = code_version
        self._settings = run.settings
        self._run_id = run.run_id
        self._first_seen = first_seen
        self._pages: dict[str, dict[str, Any]] = {}  # by job in progress
        self._rows: list[dict[str, Any]] = []
        self._chars = 0
        self._since = time.monotonic()

    def jobs(self, page_keys: list[str]) -> Iterator[ParseJob]:
        columns = ["page_key", "location_id", "content_type", "filename", "content_hash", "body"]
        for begin in range(0, len(page_keys), WRITE_ROWS):
            some = page_keys[begin : begin + WRITE_ROWS]
            pages = self._lake.rows_by_key(PAGES.name, ["page_key", "content_hash", "url"], {"page_key": some})
            known = {row["page_key"]: (row["content_hash"], row["url"]) for row in pages}
            for row in self._lake.rows_by_key(BODIES.name, columns, {"page_key": some}, at_once=_READ_BODIES):
                body, (content_hash, url) = row.pop("body"), known[row["page_key"]]
                if row["content_hash"] != content_hash:
                    continue  # a collection is between the two writes, or was killed there; the next one completes it
                self._pages[row["page_key"]] = row | {"url": url}
                yield ParseJob(row["page_key"], body, url, row["content_type"] or "", row["filename"] or "")

    def add(self, outcome: ParseOutcome) -> None:
        page = self._pages.pop(outcome.key)
        document = outcome.document
        identity = doc_id(outcome.key)
        row = {
            "doc_id": identity,
            "location_id": page["location_id"],
            "tenant_id": self._source.tenant_id,
            "source_id": self._source.source_id,
            "url": page["url"],
            "state": PARSED if document else QUARANTINED,
            "reason": str(outcome.reason or ""),
            "detail": outcome.detail,
            "page_hash": page["content_hash"],
            "content_hash": "",
            "code_version": self._version(outcome),
            "first_seen": self._first_seen.get(identity) or now(),
            "run_id": self._run_id,
        }
        if document is not None:
            row |= _content(document)
            self._chars += len(document.text)
        self._rows.append(row)
        old = time.monotonic() - self._since > _BATCH_AGE_S
        if len(self._rows) >= _BATCH_ROWS or self._chars >= _BATCH_CHARS or old:
            self.flush()

    def _version(self, outcome: ParseOutcome) -> str:
        if outcome.reason is QuarantineReason.KILLED:
            return f"{self._code_version}/{outcome.reason}"  # no conditions: the next run tries again
        hindered = outcome.document.is_partial if outcome.document else outcome.reason in _MAY_SUCCEED
        return f"{self._code_version}/{_conditions(self._settings)}" if hindered else self._code_version

    def flush(self) -> None:
        self._lake.upsert(DOCUMENTS, self._rows)
        self._rows, self._chars, self._since = [], 0, time.monotonic()


def _content(document: ParsedDocument) -> dict[str, Any]:
    anchors = [
        {"offset": anchor.offset, "page": anchor.page, "heading": anchor.heading, "fragment": anchor.fragment}
        for anchor in document.anchors
    ]
    return {
        "content_hash": digest(document.title, document.text, repr([tuple(anchor.values()) for anchor in anchors])),
        "title": document.title,
        "lang": document.lang,
        "text": document.text,
        "anchors": anchors,
        "published": document.published,
        "quality": quality(document.text),
        "simhash": simhash(document.text),
        "parser": document.parser,
    }
