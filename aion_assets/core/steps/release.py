"""Release the index when its structural gates hold and when the release would serve something new."""

from dataclasses import dataclass

from aion_assets.core.answer.confidence import builtin_calibration
from aion_assets.core.errors import GateBlockedError, NoReleaseError
from aion_assets.core.home import Home
from aion_assets.core.index.contents import index_version
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.lake.locks import INDEX_LOCK
from aion_assets.core.lake.tables import knowledge_name
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.releases import Publication, Release, current_release, publish
from aion_assets.core.release.retire import retire_old_releases
from aion_assets.core.sources import progress
from aion_assets.core.sources.progress import mark_handled
from aion_assets.core.steps.gates import gates
from aion_assets.core.steps.retrieval_report import RetrievalReport, read_report


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """`release` is the current one. `waits_for`: why it is not of the newest index, "" when it is."""

    release: Release
    published: bool
    retired: int = 0
    waits_for: str = ""

    @property
    def release_id(self) -> str:
        return self.release.release_id


def release_index(home: Home, model: EmbeddingModel, run_id: str) -> ReleaseReport:
    """Publish a content release of the newest index, with the ranker of its retrieval report.

    Raises GateBlockedError: a gate failed, or nothing was measured. The release before stays current.
    """
    with home.lake.lock(INDEX_LOCK):
        indexed = progress.reached_now(home.database, progress.INDEXED)
        report = _release(home, model, run_id)
        if not report.waits_for:
            mark_handled(home.database, indexed)
    return report


def models_for(model: EmbeddingModel, report: RetrievalReport) -> ModelManifest:
    """The models of a content release: this embedder, the report's ranker, and the built-in calibration."""
    return ModelManifest(
        passage_embedder={"id": model.embedder_id, "name": model.name, "dimension": model.dimension},
        query_encoder={"id": model.embedder_id, "adapter": "", "mode": "full", "scale": 1.0},
        ranker=report.ranker,
        calibration=builtin_calibration(model.embedder_id).to_json(),
    )


def _release(home: Home, model: EmbeddingModel, run_id: str) -> ReleaseReport:
    index = index_version(home.lake, knowledge_name(model.embedder_id))
    current = _current(home)
    measured = read_report(home, index["table"])
    if measured is not None and not measured.is_of(index, model.embedder_id):
        measured = None
    if measured and current and current.serves_the_same_as(index, models_for(model, measured)):
        return ReleaseReport(current, published=False)
    findings = gates(home, model.embedder_id)
    for claim, finding in findings.items():
        if not finding.holds:
            raise GateBlockedError(
                f"Gate {claim} failed: {finding.says}",
                "The release before keeps serving. Run 'aion run' again; if it stays, see 'aion doctor'.",
            )
    if measured is None:
        return _unmeasured(current)
    waiting = findings["index_holds_every_chunk"].figures["waiting_documents"]
    if current is not None and current.table != index["table"] and waiting:
        # The index of another embedder is not complete yet. The run that embeds the last source releases it.
        return ReleaseReport(current, published=False, waits_for=f"{waiting} documents that are still to be embedded")
    models = models_for(model, measured)
    released = publish(home, index, models, Publication(f"run:{run_id}", run_id, measured.report_id))
    return ReleaseReport(released, published=True, retired=retire_old_releases(home))


def _unmeasured(current: Release | None) -> ReleaseReport:
    """Another run brought the index on since it was measured: that run measures and releases what is there now."""
    if current is None:
        raise GateBlockedError(
            "The index has no retrieval report of its own.",
            "Materialize eval/retrieval_report and then serving/release, or run 'aion run' again.",
        )
    return ReleaseReport(current, published=False, waits_for="the retrieval report of a newer index")


def _current(home: Home) -> Release | None:
    try:
        return current_release(home.database, home.tenant_id)
    except NoReleaseError:
        return None
