"""Fill `pages`, a row for each location of a source with its newest outcome, and `bodies`, its last good body."""

import time
from collections import ChainMap
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from aion_assets.core.collect.connector import CollectionJob, Progress, vanished
from aion_assets.core.collect.kinds import connector_of
from aion_assets.core.collect.scarcity import ReasonCount
from aion_assets.core.database.engine import now
from aion_assets.core.errors import AionError
from aion_assets.core.ids import location_id
from aion_assets.core.lake.conditions import both, quoted
from aion_assets.core.lake.diff import counted_version
from aion_assets.core.lake.store import WRITE_ROWS, Lake
from aion_assets.core.lake.tables import BODIES, PAGES
from aion_assets.core.records import CollectedPage, KnownPage, Outcome
from aion_assets.core.sources.store import begin_collection, finish_collection, get_source, note_failure
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.report import StepReport

# A batch is committed at this many pages or bytes, or at this age. A kill loses one batch at most.
_BATCH_PAGES = WRITE_ROWS
_BATCH_BYTES = 16_000_000
_BATCH_AGE_S = 5.0
_KNOWN = [
    "locator",
    "outcome",
    "etag",
    "last_modified",
    "content_hash",
    "size_bytes",
    "links",
    "depth",
    "collection_id",
]
# Outcomes of locations without a page that a person may expect.
TROUBLES = (Outcome.ERROR, Outcome.GONE, Outcome.TOO_BIG, Outcome.WRONG_TYPE, Outcome.ROBOTS, Outcome.CAPPED)
# Outcomes that keep an earlier body.
_KEEPS_BODY = frozenset({Outcome.UNCHANGED, Outcome.ERROR, Outcome.CAPPED})


def collect_source(run: SourceRun) -> StepReport:
    """Visit every location of the source once. Resumes a collection that was killed."""
    with run.lake.lock(f"collect-{run.source_id}"):
        return _collect(run)


def _collect(run: SourceRun) -> StepReport:
    lake, database, settings, source = run.lake, run.database, run.settings, run.source
    started = time.monotonic()
    known = known_pages(lake, source.source_id, with_url=source.kind == "jsonl")
    collection_id = begin_collection(database, source.source_id)
    # Options may have changed while this run waited, so read them again. A later change gives the collection up.
    source = get_source(database, settings, source.source_id).source
    writer = _PageWriter(replace(run, source=source), known, collection_id)

    def on_progress(progress: Progress) -> None:
        run.show(progress.done, progress.done + progress.queued, progress.current)

    connector = connector_of(source.kind)
    try:
        held = _with_body(lake, source.source_id, known)
        job = CollectionJob(source, settings, held, collection_id)
        outcome = connector.collect(job, writer.add, on_progress)
    except BaseException as error:
        # Keep what was fetched before a cancel. If the lake itself fails, report its first error.
        with suppress(AionError):
            writer.flush()
        if isinstance(error, AionError):
            with suppress(AionError):
                note_failure(database, source.source_id, error.what)
        raise
    gone = vanished(known, writer.seen, outcome)
    newly_gone = sorted(locator for locator in gone if known[locator].outcome != Outcome.GONE)
    for locator in newly_gone:
        writer.add(CollectedPage(locator, locator, Outcome.GONE, reason="no longer found", fetched_at=now()))
    writer.flush()
    _drop_bodies(lake, source.source_id)
    finish_collection(database, source.source_id, outcome.failure)

    report = StepReport(seconds=time.monotonic() - started)
    report.counts.update({str(name): count for name, count in outcome.counts.items()})
    report.counts.update({str(Outcome.GONE): len(newly_gone)} if newly_gone else {})
    report.drops.update({name: n for name, n in report.counts.items() if name not in ("stored", "unchanged")})
    report.notes = {
        "fetched_bytes": outcome.fetched_bytes,
        "off_domain_links": outcome.off_domain_links,
        "complete": "yes" if outcome.complete else outcome.failure or "no",
        "resumed": outcome.resumed,
        "collection_id": collection_id,
        "unreachable": "yes" if outcome.unreachable else "no",
        "first_trouble": writer.first_trouble,
        "remark": writer.reasons.remark() if source.kind == "web" and not outcome.failure else "",
    }
    report.rows, report.data_version = stored_version(lake, source.source_id)
    return report


def known_pages(lake: Lake, source_id: str, *, with_url: bool = False) -> dict[str, KnownPage]:
    known = {}
    columns = [*_KNOWN, "url"] if with_url else _KNOWN
    for row in lake.rows(PAGES.name, columns, f"source_id = {quoted(source_id)}"):
        row["outcome"] = Outcome(row["outcome"])
        row["links"] = tuple(row["links"] or ())
        known[row["locator"]] = KnownPage(**row)
    return known


def stored_version(lake: Lake, source_id: str) -> tuple[int, str]:
    """Number and fingerprint of the locations that have a body."""
    where = f"source_id = {quoted(source_id)} AND content_hash <> ''"
    return counted_version(
        (row["location_id"], row["content_hash"])
        for row in lake.rows(PAGES.name, ["location_id", "content_hash"], where)
    )


class _PageWriter:
    """Collects outcomes and commits them in batches."""

    def __init__(self, run: SourceRun, known: dict[str, KnownPage], collection_id: str) -> None:
        self._lake = run.lake
        self._source = run.source
        self._known = known
        self._stamp = {"collection_id": collection_id, "run_id": run.run_id}
        self._batch: list[CollectedPage] = []
        self._bytes = 0
        self._since = time.monotonic()
        self.seen: set[str] = set()
        self.first_trouble = ""
        self.reasons = ReasonCount()

    def add(self, page: CollectedPage) -> None:
        self.seen.add(page.locator)
        self.reasons.add(page.outcome, page.reason)
        if page.outcome in TROUBLES and not self.first_trouble:
            self.first_trouble = f"{page.url}: {(page.reason or page.outcome).rstrip('.')}"
        self._batch.append(page)
        self._bytes += len(page.body or b"")
        old = time.monotonic() - self._since > _BATCH_AGE_S
        if len(self._batch) >= _BATCH_PAGES or self._bytes >= _BATCH_BYTES or old:
            self.flush()

    def flush(self) -> None:
        pages = {page.locator: page for page in self._batch}.values()
        rows = [self._row(page) for page in pages]
        bodies = [self._body(page, row) for page, row in zip(pages, rows, strict=True) if page.body is not None]
        # Write the body first: a location with a row in `pages` is not asked again.
        self._lake.upsert(BODIES, bodies)
        self._lake.upsert(PAGES, rows)
        self._batch, self._bytes, self._since = [], 0, time.monotonic()

    def _row(self, page: CollectedPage) -> dict[str, object]:
        source = self._source
        locator = page.locator if source.kind == "web" else f"{source.source_id}:{page.locator}"
        location = location_id(source.tenant_id, locator)
        earlier = self._known.get(page.locator) if _keeps_body(page) else None
        # The description of a body stays with it: a "not modified" or a failure says nothing about it.
        of_body: CollectedPage | KnownPage | None = page if page.body is not None else earlier
        return {
            "page_key": f"{source.source_id}/{location}",
            "location_id": location,
            "tenant_id": source.tenant_id,
            "source_id": source.source_id,
            "locator": page.locator,
            "url": page.url,
            "outcome": str(page.outcome),
            "reason": page.reason,
            "status": page.status,
            "fetched_at": page.fetched_at or now(),
            "etag": page.etag or (earlier.etag if earlier else ""),
            "last_modified": page.last_modified or (earlier.last_modified if earlier else ""),
            "content_hash": of_body.content_hash if of_body else "",
            "size_bytes": of_body.size_bytes if of_body else page.size_bytes,
            "links": list(page.links),
            "depth": page.depth,
            **self._stamp,
        }

    def _body(self, page: CollectedPage, row: dict[str, object]) -> dict[str, object]:
        kept = ("page_key", "location_id", "tenant_id", "source_id", "content_hash")
        described = {"content_type": page.content_type, "filename": page.filename, "body": page.body}
        return {name: row[name] for name in kept} | described


def _keeps_body(page: CollectedPage) -> bool:
    return page.outcome in _KEEPS_BODY and not page.is_another


def _with_body(lake: Lake, source_id: str, known: dict[str, KnownPage]) -> Mapping[str, KnownPage]:
    """The known pages. One whose body is missing is shown without it, so that it is fetched again."""
    lacking, _ = _apart(lake, source_id)
    asked = {key: replace(known[key], content_hash="", etag="", last_modified="") for key in lacking if key in known}
    return ChainMap(asked, known) if asked else known


def _drop_bodies(lake: Lake, source_id: str) -> None:
    """Drop the bodies of pages that are gone or changed, and those that an unfinished collection left."""
    _, left_over = _apart(lake, source_id)
    lake.delete(BODIES.name, "page_key", left_over)


def _apart(lake: Lake, source_id: str) -> tuple[list[str], list[str]]:
    """Locators of the pages whose body is missing, and page_key of the bodies without a page."""
    lacking, left_over = [], []
    of_source = f"source_id = {quoted(source_id)}"
    for part in lake.ranges("location_id", PAGES.name, BODIES.name, where=of_source):
        has_body = both(both(of_source, "content_hash <> ''"), part)
        pages = {
            row["page_key"]: row for row in lake.rows(PAGES.name, ["page_key", "locator", "content_hash"], has_body)
        }
        for row in lake.rows(BODIES.name, ["page_key", "content_hash"], both(of_source, part)):
            page = pages.get(row["page_key"])
            if page is None:
                left_over.append(row["page_key"])
            elif page["content_hash"] == row["content_hash"]:
                del pages[row["page_key"]]
        lacking += [page["locator"] for page in pages.values()]
    return lacking, left_over
