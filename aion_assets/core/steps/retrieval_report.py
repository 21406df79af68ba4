"""Measure how well one version of the index retrieves, in the order of the ranker with which it will serve."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aion_assets.core.home import Home
from aion_assets.core.ids import short_digest
from aion_assets.core.index.contents import index_version
from aion_assets.core.index.embedder import LoadEmbedder
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.lake.locks import INDEX_LOCK
from aion_assets.core.lake.tables import knowledge_name
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.evaluate import evaluate
from aion_assets.core.learn.golden import measured_questions
from aion_assets.core.learn.reports import RETRIEVAL, newest_report, store_report
from aion_assets.core.release.models import inherited_models
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.steps import claims


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """`index` is {table, version, rows, data_version} of the measured index, `embedder_id` that of its embedder.
    `metrics` are empty without labelled questions. `ranker` is the JSON form of `Ranker`.
    """

    index: Mapping[str, Any]
    embedder_id: str
    recall_of_exact: float
    labelled: int
    ranker: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)
    report_id: str = ""

    @property
    def rows(self) -> int:
        return int(self.index["rows"])

    def figures(self) -> dict[str, Any]:
        shares = self.ranker["weights"].items()
        weights = {f"ranker/{lang}/{name}": share for lang, named in shares for name, share in named.items()}
        facts = {"rows": self.rows, "recall_of_exact": self.recall_of_exact, "labelled_questions": self.labelled}
        return {**facts, **weights, **self.metrics}

    @property
    def digest(self) -> str:
        """Digest of what a release takes from the report. It leaves out search times and table versions."""
        taken = (self.index["data_version"], self.embedder_id, self.recall_of_exact, self.labelled, self.ranker)
        return short_digest(json.dumps(taken, sort_keys=True))

    def is_of(self, index: Mapping[str, Any], embedder_id: str) -> bool:
        same = all(self.index[name] == index[name] for name in ("table", "rows", "data_version"))
        return same and self.embedder_id == embedder_id


def measure_retrieval(home: Home, model: EmbeddingModel, load: LoadEmbedder, run_id: str = "") -> RetrievalReport:
    """Measure and store the report. A release of this index needs one."""
    table = knowledge_name(model.embedder_id)
    with home.lake.lock(INDEX_LOCK):
        index = index_version(home.lake, table)
    recall = claims.index_recall_is_high(home.lake, model.embedder_id).figures["recall"]
    ranker, metrics = Ranker.from_json(inherited_models(home, model).ranker), {}
    questions = [question for question in by_document(home, measured_questions(home)) if question.answerable]
    if questions:
        opened = home.lake.table(table)
        opened.checkout(index["version"])
        retriever = Retriever(opened, load(), home.tenant_id, ranker)
        found = evaluate(retriever, questions, lambda hit: hit.doc_id)
        metrics = {name: round(value, 4) for name, value in found.figures().items() if not math.isnan(value)}
    body: dict[str, Any] = {
        "index": index,
        "embedder_id": model.embedder_id,
        "recall_of_exact": round(recall, 4),
        "labelled": len(questions),
        "ranker": ranker.to_json(),
        "metrics": metrics,
    }
    report_id = store_report(home, RETRIEVAL, table, body, run_id)
    return RetrievalReport(**body, report_id=report_id)


def read_report(home: Home, table: str) -> RetrievalReport | None:
    """The newest of the index in this table."""
    stored = newest_report(home, RETRIEVAL, table)
    if stored is None:
        return None
    # Until 0.2.0 a report named the ranker so, in the form that `Ranker.from_json` reads.
    body = {"ranker" if name == "fusion" else name: value for name, value in stored.body.items()}
    body["ranker"] = Ranker.from_json(body["ranker"]).to_json()
    return RetrievalReport(**body, report_id=stored.report_id)
