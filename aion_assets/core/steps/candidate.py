"""Candidate models on their way: measured beside those that serve, judged by the gate, released or blocked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.errors import TrainingError
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.click_evidence import ClickEvidence, recorded_evidence
from aion_assets.core.learn.gate import Verdict, judge
from aion_assets.core.learn.generator_gate import Written, judge_generator
from aion_assets.core.learn.golden import golden_digest, measured_questions
from aion_assets.core.learn.measured import Measured, measure, measure_order, time_searches
from aion_assets.core.learn.reports import CANDIDATE, GENERATED, newest_report, store_report
from aion_assets.core.learn.trainings import (
    BLOCKED,
    COMPLETE,
    GENERATOR,
    RANKER,
    RELEASED,
    RETRIEVER_ADAPTER,
    Training,
    active_training,
    end_training,
)
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.releases import Release, current_release, read_model_release
from aion_assets.core.search.ranker import Ranker, halves_only
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.steps.context import LoadEmbedderOf
from aion_assets.core.steps.shadow import build_shadow, over_index_of

_FROM_CLICKS = (RANKER, RETRIEVER_ADAPTER)
_NEXT = (
    "Look at who clicks what; AION_LEARN_CLICKS=leave_out learns without clicks, trust learns from them nevertheless."
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Models that passed their gate. `report_id` names the report by which."""

    training_id: str
    learner: str
    model_release_id: str
    report_id: str


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """`before` and `after` are the figures of the models that serve and of the candidate."""

    training: Training
    report_id: str
    verdict: Verdict
    before: Mapping[str, float]
    after: Mapping[str, float]


def measure_candidate(home: Home, load: LoadEmbedderOf, run_id: str = "") -> CandidateReport:
    """Measure the candidate of the training under way on what serves, beside the models that serve; judge and store.

    A candidate that the gate blocks ends its training. Raises TrainingError: there is no candidate.
    """
    training = active_training(home)
    if training is None or not training.candidate:
        raise TrainingError("No training under way has a candidate.", "Start one: aion train start.")
    release = current_release(home.database, home.tenant_id)
    questions = measured_questions(home)
    asked = by_document(home, questions)
    serving, learned = release.models, read_model_release(home.database, training.candidate)
    before = open_retriever(home, release, serving, load(serving))
    apart = embeds_otherwise(serving, learned)
    embedder = load(learned) if apart else before.embedder
    if learned.passage_embedder["id"] != serving.passage_embedder["id"]:
        build_shadow(home, embedder, run_id)  # what came while it was trained
    after = open_retriever(home, over_index_of(home, release, learned), learned, embedder)
    measured = [
        measure(retriever, Calibration.from_json(models.calibration), asked)
        for retriever, models in ((before, serving), (after, learned))
    ]
    time_searches((before, after), measured, asked)
    body = {
        "incumbent": release.model_release_id,
        "candidate": training.candidate,
        "release_id": release.release_id,
        "golden": golden_digest(questions),
        "before": measured[0].to_json(),
        "after": measured[1].to_json(),
    }
    if apart:
        alone = halves_only(1.0, 0.0)
        found = [measure_order(retriever.with_ranker(alone), asked).to_json() for retriever in (before, after)]
        body["dense"] = dict(zip(("before", "after"), found, strict=True))
    if training.learner in _FROM_CLICKS:
        body["clicks"] = recorded_evidence(home).to_json()
    report_id = store_report(home, CANDIDATE, training.candidate, body, run_id)
    verdict = verdict_of(home, training.learner, body)
    if not verdict.passes:
        end_training(home, training.training_id, COMPLETE, outcome=BLOCKED, says=verdict.says)
    return CandidateReport(training, report_id, verdict, measured[0].figures(), measured[1].figures())


def embeds_otherwise(one: ModelManifest, other: ModelManifest) -> bool:
    return (one.passage_embedder["id"], one.query_encoder) != (other.passage_embedder["id"], other.query_encoder)


def open_retriever(home: Home, release: Release, models: ModelManifest, embedder: QueryEmbedder) -> Retriever:
    """Over the index of the release, in the order of these models."""
    table = home.lake.table_at(release.table, release.tag)
    retriever = Retriever(table, embedder, home.tenant_id, Ranker.from_json(models.ranker))
    retriever.keep_in_memory()
    return retriever


def report_kind(learner: str) -> str:
    """A generator is measured by what it writes, the other learners by what is found."""
    return GENERATED if learner == GENERATOR else CANDIDATE


def verdict_of(home: Home, learner: str, body: Mapping[str, Any]) -> Verdict:
    """The gate's judgement of a stored report, computed from the figures of each question."""
    if learner == GENERATOR:
        sides = (Written.from_json(body["before"]), Written.from_json(body["after"]))
        return judge_generator(*sides, home.settings.learn_min_cases)
    before, after = Measured.from_json(body["before"]), Measured.from_json(body["after"])
    dense = body.get("dense")
    pair = (Measured.from_json(dense["before"]), Measured.from_json(dense["after"])) if dense else None
    doubt = ClickEvidence(**body["clicks"]).doubt if "clicks" in body and home.settings.learn_clicks == "judge" else ""
    return judge(before, after, home.settings.learn_min_golden, pair, doubt and f"{doubt} {_NEXT}")


def candidate_to_release(home: Home, model: EmbeddingModel) -> Candidate | None:
    """The candidate of the training under way, if it may be released. The gate is checked again here.

    One that may not is blocked for good: it was measured against models that no longer serve, on questions that have
    changed, or with another embedder.
    """
    training = active_training(home)
    if training is None or not training.candidate:
        return None
    stored = newest_report(home, report_kind(training.learner), training.candidate)
    if stored is None:
        return None  # it is still being measured
    against = _outdated(home, stored.body, training.candidate, model)
    verdict = verdict_of(home, training.learner, stored.body)
    if against or not verdict.passes:
        end_training(home, training.training_id, COMPLETE, outcome=BLOCKED, says=against or verdict.says)
        return None
    return Candidate(training.training_id, training.learner, training.candidate, stored.report_id)


def decided(home: Home, candidate: Candidate, release_id: str) -> None:
    """The candidate serves: the training is over."""
    stored = newest_report(home, report_kind(candidate.learner), candidate.model_release_id)
    says = verdict_of(home, candidate.learner, stored.body).says if stored else ""
    says = f"Release {release_id[:12]} serves its models. {says}".strip()
    end_training(home, candidate.training_id, COMPLETE, outcome=RELEASED, says=says)


def _outdated(home: Home, body: Mapping[str, Any], candidate: str, model: EmbeddingModel) -> str:
    """Why the report says nothing any more, "" when it does."""
    current = current_release(home.database, home.tenant_id)
    if current.model_release_id == candidate:
        return ""  # a kill came between its release and the note of it
    if current.model_release_id != body["incumbent"]:
        return "Other models serve by now than those that the candidate was measured against."
    if golden_digest(measured_questions(home)) != body["golden"]:
        return "The golden questions have changed since the candidate was measured."
    if current.models.passage_embedder["id"] != model.embedder_id:
        return "The settings name another embedder than the one that the candidate was made for."
    return ""
