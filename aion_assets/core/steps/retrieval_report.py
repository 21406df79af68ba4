"""Measure how well the newest index retrieves, and choose its fusion weight where labelled questions allow."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aion_assets.core import audit
from aion_assets.core.durable import write_durably
from aion_assets.core.embedding_model import EmbeddingModel
from aion_assets.core.golden import GoldenQuery, load_golden_queries
from aion_assets.core.ids import short_digest
from aion_assets.core.lake import Lake
from aion_assets.core.metrics import mrr_at_k, ndcg_at_k, recall_at_k
from aion_assets.core.search.fusion import FusionConfig
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.search.tuning import LabelledQuestion, tune_fusion
from aion_assets.core.settings import Settings
from aion_assets.core.steps import knowledge
from aion_assets.core.steps.embeddings import LoadEmbedder

_K = 10


@dataclass(slots=True)
class RetrievalReport:
    """`metrics` are empty without labelled questions; `fusion` is the JSON form of `FusionConfig`."""

    rows: int
    recall_of_exact: float
    labelled: int
    fusion: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        weights = {f"fusion/{name}": value for name, value in self.fusion.items()}
        facts = {"rows": self.rows, "recall_of_exact": self.recall_of_exact, "labelled_questions": self.labelled}
        return {**facts, **weights, **self.metrics}

    @property
    def digest(self) -> str:
        timeless = {name: value for name, value in asdict(self).items() if name != "metrics"}
        return short_digest(json.dumps(timeless, sort_keys=True))


def report_path(settings: Settings) -> Path:
    return settings.home / "reports" / "retrieval.json"


def read_report(settings: Settings) -> RetrievalReport | None:
    path = report_path(settings)
    return RetrievalReport(**json.loads(path.read_text("utf-8"))) if path.is_file() else None


def measure_retrieval(lake: Lake, settings: Settings, model: EmbeddingModel, load: LoadEmbedder) -> RetrievalReport:
    """Writes the report that the next release takes its fusion weight from."""
    table_name = knowledge.table_of(model.embedder_id)
    recall = audit.index_recall_is_high(lake, model.embedder_id).figures["recall"]
    queries = load_golden_queries(settings)
    report = RetrievalReport(lake.count(table_name), round(recall, 4), len(queries), FusionConfig().to_json())
    if queries:
        retriever = Retriever(lake.table(table_name), load(), settings.tenant_id, FusionConfig())
        labelled = [LabelledQuestion(query.text, dict.fromkeys(query.urls, 1)) for query in queries]
        fusion = tune_fusion(retriever, labelled)
        report.fusion = fusion.to_json()
        report.metrics = _measure(retriever.with_fusion(fusion), queries)
    write_durably(report_path(settings), json.dumps(asdict(report), ensure_ascii=False, indent=1).encode())
    return report


def _measure(retriever: Retriever, queries: list[GoldenQuery]) -> dict[str, float]:
    scores: dict[str, list[float]] = {"ndcg@10": [], "mrr@10": [], "recall@10": [], "search_ms": []}
    for query in queries:
        started = time.monotonic()
        found = [hit.url for hit in retriever.search(query.text, _K)]
        scores["search_ms"].append(1000 * (time.monotonic() - started))
        relevant = dict.fromkeys(query.urls, 1)
        scores["ndcg@10"].append(ndcg_at_k(found, relevant, _K))
        scores["mrr@10"].append(mrr_at_k(found, relevant, _K))
        scores["recall@10"].append(recall_at_k(found, relevant, _K))
    return {name: round(float(np.mean(values)), 4) for name, values in scores.items()}
