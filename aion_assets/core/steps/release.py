"""Release the index when its structural gates hold, and candidate models when the quality gate lets them pass."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aion_assets.core.errors import DamagedReleaseError, GateBlockedError, NoReleaseError
from aion_assets.core.home import Home
from aion_assets.core.index.contents import index_version
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.index.soundness import damage_of
from aion_assets.core.lake.locks import INDEX_LOCK
from aion_assets.core.lake.tables import knowledge_name
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.models import inherited_models, is_readable, serving_release
from aion_assets.core.release.releases import Publication, Release, current_release, publish, read_model_release
from aion_assets.core.release.retire import retire_old_releases
from aion_assets.core.sources import progress
from aion_assets.core.sources.progress import mark_handled
from aion_assets.core.steps.candidate import Candidate, candidate_to_release, decided
from aion_assets.core.steps.gates import gates
from aion_assets.core.steps.retrieval_report import read_report

_NEWER = "the retrieval report of a newer index"
# So long the run that overtook this one has to release.
_OVERTAKEN_S = 60.0


class _Overtaken(Exception):
    """Another run brought the index on, and there is no release yet."""


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
    """Publish a release of the newest index: with the models that serve, or with a candidate that passed its gate.

    Raises GateBlockedError: a gate failed, or nothing was measured. The release before stays current.
    """
    try:
        with home.lake.lock(INDEX_LOCK):
            indexed = progress.reached_now(home.database, progress.INDEXED)
            candidate = candidate_to_release(home, model)
            report = _release(home, model, run_id, candidate)
            if not report.waits_for:
                mark_handled(home.database, indexed)
    except _Overtaken:
        return _first_release_of_another_run(home)
    if candidate is not None and report.release.model_release_id == candidate.model_release_id:
        decided(home, candidate, report.release_id)
    return report


def unreadable(home: Home) -> str:
    """Why the current release cannot serve, "" where it can or where there is none. Reads its whole index."""
    try:
        current = current_release(home.database, home.tenant_id)
    except NoReleaseError:
        return ""
    except DamagedReleaseError as error:
        return error.what
    if not is_readable(current.models):
        return "The models of the current release cannot be read."
    if not home.lake.has_tag(current.table, current.tag):
        return f"The index {current.table} of the current release is gone."
    return damage_of(home.lake, current.table, current.tag) or damage_of(home.lake, current.table)


def _release(home: Home, model: EmbeddingModel, run_id: str, candidate: Candidate | None) -> ReleaseReport:
    models = _models(home, model, candidate)
    embedder_id = models.passage_embedder["id"]
    index = index_version(home.lake, knowledge_name(embedder_id))
    current = serving_release(home)
    report_id = _measured(home, index, embedder_id)
    if candidate and current and current.table != index["table"]:
        report_id = candidate.report_id  # on its shadow index
    is_there = current is not None and home.lake.has_tag(current.table, current.tag)
    if report_id and current and is_there and current.serves_the_same_as(index, models):
        return ReleaseReport(current, published=False)
    findings = gates(home, embedder_id)
    for claim, finding in findings.items():
        if not finding.holds:
            raise GateBlockedError(
                f"Gate {claim} failed: {finding.says}",
                "The release before keeps serving. Run 'aion run' again; if it stays, see 'aion doctor'.",
            )
    if not report_id:
        return _unmeasured(home, current, index)
    waiting = findings["index_holds_every_chunk"].figures["waiting_documents"]
    if current is not None and current.table != index["table"] and waiting:
        # The index of another embedder is not complete yet. The run that embeds the last source releases it.
        return ReleaseReport(current, published=False, waits_for=f"{waiting} documents that are still to be embedded")
    released = publish(
        home, index, models, Publication(f"run:{run_id}", run_id, candidate.report_id if candidate else report_id)
    )
    return ReleaseReport(released, published=True, retired=retire_old_releases(home))


def _measured(home: Home, index: Mapping[str, Any], embedder_id: str) -> str:
    """Id of the report on this very index, "" where there is none."""
    report = read_report(home, index["table"])
    return report.report_id if report is not None and report.is_of(index, embedder_id) else ""


def _models(home: Home, model: EmbeddingModel, candidate: Candidate | None) -> ModelManifest:
    if candidate is None:
        return inherited_models(home, model)
    return read_model_release(home.database, candidate.model_release_id)


def _unmeasured(home: Home, current: Release | None, index: Mapping[str, Any]) -> ReleaseReport:
    """Another run brought the index on since it was measured: that run measures and releases what is there now."""
    if current is not None:
        return ReleaseReport(current, published=False, waits_for=_NEWER)
    if read_report(home, index["table"]) is not None:
        raise _Overtaken
    raise _nothing_measured()


def _first_release_of_another_run(home: Home) -> ReleaseReport:
    """Two runs of a new home at once: the one that was overtaken waits until the other has released."""
    deadline = time.monotonic() + _OVERTAKEN_S
    while (current := serving_release(home)) is None:
        if time.monotonic() > deadline:
            raise _nothing_measured()
        time.sleep(0.2)
    return ReleaseReport(current, published=False, waits_for=_NEWER)


def _nothing_measured() -> GateBlockedError:
    return GateBlockedError(
        "The index has no retrieval report of its own.",
        "Materialize eval/retrieval_report and then serving/release, or run 'aion run' again.",
    )
