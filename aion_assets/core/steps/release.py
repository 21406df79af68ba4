"""Make a release of the index when its structural gates hold, and only when it would serve something else."""

from dataclasses import dataclass, replace

from aion_assets.core import audit, progress, releases, sources
from aion_assets.core.confidence import builtin_calibration
from aion_assets.core.curation import hidden
from aion_assets.core.database import Database
from aion_assets.core.diff import data_version
from aion_assets.core.embedding_model import EmbeddingModel
from aion_assets.core.errors import GateBlockedError, NoReleaseError
from aion_assets.core.lake import Lake
from aion_assets.core.releases import Manifest
from aion_assets.core.search.fusion import FusionConfig
from aion_assets.core.settings import Settings
from aion_assets.core.steps import knowledge
from aion_assets.core.steps.retrieval_report import read_report


@dataclass(slots=True)
class ReleaseReport:
    release_id: str
    manifest: Manifest
    published: bool
    retired: int


def gates(lake: Lake, database: Database, tenant_id: str, embedder_id: str) -> dict[str, audit.Finding]:
    """The structural gates of a content release, by the name of their claim."""
    removed = hidden(database, tenant_id).source_ids
    return {
        "index_holds_every_chunk": audit.index_holds_every_chunk(lake, embedder_id, removed),
        "index_recall_is_high": audit.index_recall_is_high(lake, embedder_id),
        "smoke_query_finds_itself": audit.smoke_query_finds_itself(lake.table(knowledge.table_of(embedder_id))),
    }


def release(lake: Lake, database: Database, tenant_id: str, candidate: Manifest) -> ReleaseReport:
    """Publish `candidate`, whose `index` holds {table} and is filled in here.

    Raises GateBlockedError: a gate failed; the release before stays current.
    """
    with lake.turn(knowledge.TURN):
        indexed = progress.reached_now(database, progress.INDEXED)
        report = _release(lake, database, tenant_id, candidate)
        sources.mark_handled(database, indexed)
    return report


def _release(lake: Lake, database: Database, tenant_id: str, candidate: Manifest) -> ReleaseReport:
    name = candidate.index["table"]
    content = {"rows": lake.count(name), "data_version": _row_version(lake, name)}
    candidate = replace(candidate, index={"table": name, "version": int(lake.table(name).version), **content})
    try:
        current = releases.current_release(database, tenant_id)
    except NoReleaseError:
        current = None
    if current is not None and current.serves_the_same_as(candidate):
        return ReleaseReport(current.release_id, current, published=False, retired=0)
    findings = gates(lake, database, tenant_id, candidate.embedder["id"])
    for claim, finding in findings.items():
        if not finding.holds:
            raise GateBlockedError(
                f"Gate {claim} failed: {finding.says}",
                "The release before keeps serving. Run 'aion run' again; if it stays, see 'aion doctor'.",
            )
    switching = current is not None and current.embedder["id"] != candidate.embedder["id"]
    if current is not None and switching and findings["index_holds_every_chunk"].figures["waiting_documents"]:
        # The new index lacks what the old one shows; the run that embeds the last source releases it.
        return ReleaseReport(current.release_id, current, published=False, retired=0)
    release_id = releases.publish(lake, database, tenant_id, candidate)
    retired = releases.retire_old_releases(lake, database, tenant_id)
    return ReleaseReport(release_id, candidate, published=True, retired=retired)


def release_index(
    lake: Lake, database: Database, settings: Settings, model: EmbeddingModel, run_id: str
) -> ReleaseReport:
    """A content release of the newest index, with the fusion weight of its retrieval report."""
    report = read_report(settings)
    candidate = Manifest(
        index={"table": knowledge.table_of(model.embedder_id)},
        embedder={"id": model.embedder_id, "dimension": model.dimension},
        calibration=builtin_calibration().to_json(),
        fusion=report.fusion if report else FusionConfig().to_json(),
        metrics=report.figures() if report else {},
        created_by_run=run_id,
    )
    return release(lake, database, settings.tenant_id, candidate)


def _row_version(lake: Lake, table: str) -> str:
    return data_version((row["chunk_id"], row["row_hash"]) for row in lake.rows(table, ["chunk_id", "row_hash"]))
