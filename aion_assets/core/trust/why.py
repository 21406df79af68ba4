"""The lineage of an answer: release, passages, documents, decisions, fetches, and the runs that did each step."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import ReleaseError
from aion_assets.core.home import Home
from aion_assets.core.ids import short_digest
from aion_assets.core.lake.conditions import is_in
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import CHUNKS, CURATED_DOCUMENTS, DOCUMENTS, PAGES
from aion_assets.core.language.times import iso_time
from aion_assets.core.record.answers import AnswerRecord, read_answer
from aion_assets.core.record.corrections import read_correction
from aion_assets.core.record.passages import CORRECTION_SOURCE, GivenPassage
from aion_assets.core.records import Citation, Passage
from aion_assets.core.release import releases
from aion_assets.core.settings import Settings
from aion_assets.core.sources.tombstones import reasons_by_document

_DOCUMENT = [
    "doc_id", "location_id", "source_id", "state", "reason", "page_hash", "content_hash", "title", "lang", "parser",
    "code_version", "first_seen", "run_id",
]  # fmt: skip
_PAGE = [
    "page_key", "location_id", "url", "outcome", "reason", "status", "fetched_at", "content_hash", "size_bytes",
    "run_id",
]  # fmt: skip


def why(home: Home, answer_id: str) -> dict[str, Any]:
    """Everything that led to the answer, found by ids and ready for JSON.

    {answer, release, passages: [{number, cited, quote, passage, chunk, document, decision, fetch, source, runs}],
    given}. A step whose row no longer exists is {"missing": the reason in a sentence}.

    Raises AnswerNotFoundError: no answer has this id.
    """
    record = read_answer(home.database, home.tenant_id, answer_id)
    trail = _Trail(home, record)
    return {
        "answer": _answer(home, record),
        "release": _release(home, record.release_id),
        "passages": [
            *(trail.of_passage(item, cited=True) for item in record.citations),
            *(trail.of_passage(item, cited=False) for item in record.nearest),
        ],
        "given": [_given(item) for item in record.given],
    }


def run_link(settings: Settings, run_id: str | None) -> dict[str, str] | None:
    """The Dagster run and its page. The UI listens on loopback only. None where no run is known."""
    if not run_id:
        return None
    return {"run_id": run_id, "link": f"http://127.0.0.1:{settings.dagster_port}/runs/{run_id}"}


def _answer(home: Home, record: AnswerRecord) -> dict[str, Any]:
    return {
        "answer_id": record.answer_id,
        "created_at": iso_time(record.created_at, home.settings.zone),
        "question": record.question,
        "text": record.text,
        "used": record.used,
        "C": record.confidence,
        "tau": record.tau,
        "language": record.language,
        "latency_ms": record.latency_ms.get("total", 0.0),
    }


def _given(item: GivenPassage) -> dict[str, Any]:
    facts = asdict(item)
    return {**facts, **facts.pop("scores")}


def _release(home: Home, release_id: str) -> dict[str, Any]:
    try:
        release = releases.read_release(home.database, release_id)
    except ReleaseError as error:
        return {"release_id": release_id, "missing": error.what}
    models = release.models
    return {
        "release_id": release_id,
        "current": releases.current_release_id(home.database, home.tenant_id) == release_id,
        "index": release.index,
        "model_release": release.model_release_id,
        "embedder": models.passage_embedder,
        "query_encoder": models.query_encoder,
        "calibration": {
            "digest": short_digest(repr(sorted(models.calibration.items()))),
            "embedder_id": models.calibration.get("embedder_id", ""),
            "fitted_on": models.calibration.get("fitted_on", {}),
        },
        "ranker": models.ranker,
        "prompt_version": models.prompt,
        "base_model": models.base_model,
        "generator_adapter": models.generator_adapter,
        "run": run_link(home.settings, release.run_id),
    }


class _Trail:
    """The rows of all tables that an answer's passages lead to. Each table is read once."""

    def __init__(self, home: Home, record: AnswerRecord) -> None:
        lake, database = home.lake, home.database
        self._home, self._settings = home, home.settings
        shown = [item.passage for item in (*record.citations, *record.nearest)]
        documents = sorted({item.doc_id for item in shown})
        chunk_ids = sorted({item.chunk_id for item in shown})
        self._chunks = _by(lake, CHUNKS.name, ["chunk_id", "doc_version", "position", "run_id"], "chunk_id", chunk_ids)
        self._documents = _by(lake, DOCUMENTS.name, _DOCUMENT, "doc_id", documents)
        self._curated = _by(lake, CURATED_DOCUMENTS.name, ["doc_id", "duplicate_of", "run_id"], "doc_id", documents)
        pages = [f"{row['source_id']}/{row['location_id']}" for row in self._documents.values()]
        self._pages = _by(lake, PAGES.name, _PAGE, "page_key", pages)
        self._decisions = _sql_by(database, tables.curation.c.doc_id, documents)
        earlier = sorted({row["moved_from"] for row in self._decisions.values() if row["moved_from"]})
        self._earlier = _sql_by(database, tables.curation.c.doc_id, earlier)
        self._later = {
            row["moved_from"]: row for row in _sql_by(database, tables.curation.c.moved_from, documents).values()
        }
        self._reasons = reasons_by_document(database, home.tenant_id, documents)
        self._sources = _sql_by(database, tables.sources.c.source_id, sorted({item.source_id for item in shown}))

    def of_passage(self, citation: Citation, *, cited: bool) -> dict[str, Any]:
        item = citation.passage
        document = self._documents.get(item.doc_id)
        page = self._pages.get(f"{document['source_id']}/{document['location_id']}") if document else None
        return {
            "number": citation.number,
            "cited": cited,
            "title": item.title,
            "url": item.url,
            **asdict(item.place),
            "quote": citation.quote,
            "passage": item.text,
            "chunk": self._chunk(item),
            "document": self._document(item, document),
            "decision": self._decision(item),
            "fetch": self._fetch(item, document, page),
            "source": self._source(item),
            "runs": self._runs(item, document, page),
            **({"correction": self._correction(item)} if item.source_id == CORRECTION_SOURCE else {}),
        }

    def _correction(self, item: Passage) -> dict[str, Any]:
        """A passage that a person wrote: what was decided on it, and of which answer it is."""
        found = read_correction(self._home, item.chunk_id)
        facts = {name: getattr(found, name) for name in ("correction_id", "answer_id", "state", "decided_by", "reason")}
        times = {name: self._time(getattr(found, name)) for name in ("said_at", "decided_at", "expired_at")}
        return {**facts, **times}

    def _time(self, moment: datetime | None) -> str | None:
        return iso_time(moment, self._settings.zone)

    def _chunk(self, item: Passage) -> dict[str, Any]:
        row = self._chunks.get(item.chunk_id)
        if row is None:
            gone = "This passage is in the knowledge base no more: its document changed or was taken out."
            return {"chunk_id": item.chunk_id, "current": False, "missing": gone}
        return {"chunk_id": item.chunk_id, "current": True, "position": row["position"]}

    def _document(self, item: Passage, row: Mapping[str, Any] | None) -> dict[str, Any]:
        quoted = {"doc_id": item.doc_id, "version_quoted": item.doc_version}
        if row is None:
            return quoted | {"missing": "The document is gone: its page vanished or its source was removed."}
        facts = {name: row[name] for name in ("title", "lang", "parser", "state", "reason")}
        now = {"version_now": row["content_hash"], "unchanged": row["content_hash"] == item.doc_version}
        return quoted | now | facts | {"parser_code": row["code_version"], "first_seen": self._time(row["first_seen"])}

    def _decision(self, item: Passage) -> dict[str, Any]:
        row, reasons = self._decisions.get(item.doc_id), self._reasons.get(item.doc_id)
        hidden = {"hidden": ", ".join(reasons)} if reasons else {}
        if row is None:
            return hidden | {"missing": "No decision on this document is kept any more."}
        decided = {"state": row["state"], "decided_by": row["decided_by"], "decided_at": self._time(row["decided_at"])}
        duplicate_of = (self._curated.get(item.doc_id) or {}).get("duplicate_of") or ""
        moves = {
            name: {"doc_id": other["doc_id"], "title": other["title"], "url": other["url"]}
            for name, other in (
                ("moved_from", self._earlier.get(row["moved_from"])),
                ("moved_to", self._later.get(item.doc_id)),
            )
            if other
        }
        facts = {"reason": row["reason"], "tags": row["tags"], "duplicate_of": duplicate_of}
        return hidden | decided | facts | moves

    def _fetch(
        self, item: Passage, document: Mapping[str, Any] | None, page: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        if page is None or document is None:
            return {"url": item.url, "missing": "The page is kept no more."}
        facts = {name: page[name] for name in ("url", "outcome", "reason", "status", "content_hash", "size_bytes")}
        # The next fetch overwrites the page row of an earlier version. These facts are then those of the newer one.
        quoted = page["content_hash"] == document["page_hash"] and document["content_hash"] == item.doc_version
        return facts | {"fetched_at": self._time(page["fetched_at"]), "of_version_quoted": quoted}

    def _source(self, item: Passage) -> dict[str, Any]:
        row = self._sources.get(item.source_id)
        if row is None:
            return {"source_id": item.source_id, "missing": "The source is not known any more."}
        facts = {name: row[name] for name in ("source_id", "name", "kind", "address")}
        return facts | {"removed_at": self._time(row["removed_at"])}

    def _runs(
        self, item: Passage, document: Mapping[str, Any] | None, page: Mapping[str, Any] | None
    ) -> dict[str, dict[str, str] | None]:
        rows = {
            "fetch": page,
            "parse": document,
            "curate": self._curated.get(item.doc_id),
            "chunk": self._chunks.get(item.chunk_id),
        }
        return {step: run_link(self._settings, row["run_id"]) if row else None for step, row in rows.items()}


def _by(lake: Lake, table: str, columns: list[str], key: str, keys: list[str]) -> dict[str, dict[str, Any]]:
    return {row[key]: row for row in lake.rows(table, columns, is_in(key, keys))} if keys else {}


def _sql_by(database: Database, key: Any, keys: list[str]) -> dict[str, dict[str, Any]]:
    with database.read() as connection:
        rows = connection.execute(select(key.table).where(key.in_(keys))).mappings()
        return {row[key.name]: dict(row) for row in rows}
