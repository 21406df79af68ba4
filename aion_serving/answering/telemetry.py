"""What Prometheus reads of this process: counters since it started, and the state of the release that serves.

Names are those of the alert rules and of the board in `deploy/prometheus`. Labels hold names of our own only, never a
question, a user or an address, so that their number stays bounded.
"""

import logging
import math
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aion_assets.core.answer.extractive import ABSTENTION
from aion_assets.core.errors import AionError
from aion_assets.core.home import Home
from aion_assets.core.learn.reports import RETRIEVAL, newest_report
from aion_assets.core.record.answers import AnswerRecord, State
from aion_assets.core.release.releases import current_release

# From a search in memory to an answer that a model writes on a slow machine.
_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_log = logging.getLogger(__name__)


class Telemetry:
    """Safe to use from several threads. It has a registry of its own: two servers in one process stay apart."""

    def __init__(self, home: Home) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter("aion_answers", "Answers, abstentions included.", ["used"], registry=self.registry)
        # An abstention below the threshold stands for the external answer that is switched off.
        self._fallback = Counter(
            "aion_fallback", "Answers that the house could not give itself.", ["reason"], registry=self.registry
        )
        self._failed = Counter("aion_answers_failed", "Answers that ended in an error.", registry=self.registry)
        self._latency = Histogram(
            "aion_answer_latency_seconds",
            "Time of an answer by layer.",
            ["layer"],
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self._feedback = Counter("aion_feedback", "What readers said.", ["thumb"], registry=self.registry)
        self._clicks = Counter("aion_clicks", "Sources that readers opened.", registry=self.registry)
        self.registry.register(_ServingRelease(home))
        self._fallback.labels(ABSTENTION)  # so that a rate exists before the first

    def answered(self, record: AnswerRecord) -> None:
        self._answers.labels(record.used).inc()
        if record.state == State.ABSTAINED and record.confidence < record.tau:
            self._fallback.labels(ABSTENTION).inc()
        for layer, milliseconds in record.latency_ms.items():
            self._latency.labels(layer).observe(milliseconds / 1000)

    def failed(self) -> None:
        self._failed.inc()

    def was_told(self, thumb: str) -> None:
        """`thumb` is up, down or "" for a comment alone."""
        self._feedback.labels(thumb or "none").inc()

    def clicked(self) -> None:
        self._clicks.inc()

    def exposition(self) -> bytes:
        """The text format of Prometheus, version 0.0.4."""
        return generate_latest(self.registry)


class _ServingRelease(Collector):
    """Read from the database at each scrape. A database that is down leaves these out, and the counters stay."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def collect(self) -> Iterator[Metric]:
        try:
            release = current_release(self._home.database, self._home.tenant_id)
            report = newest_report(self._home, RETRIEVAL, release.table)
        except AionError as error:
            _log.debug("No release to tell Prometheus of: %s", error)
            return
        info = GaugeMetricFamily("aion_release", "1 for the release that serves.", labels=["release_id", "model"])
        info.add_metric([release.release_id[:16], release.model_release_id[:16]], 1)
        yield info
        yield GaugeMetricFamily("aion_passages", "Passages in the index.", value=release.index["rows"])
        since = release.created_at.timestamp()
        yield GaugeMetricFamily("aion_release_created_seconds", "When the release was made, Unix time.", value=since)
        ndcg = report.body["metrics"].get("ndcg@10", math.nan) if report else math.nan
        if not math.isnan(ndcg):
            yield GaugeMetricFamily("aion_ndcg", "nDCG@10 on the golden queries, of the newest report.", value=ndcg)
