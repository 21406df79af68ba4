"""The retriever adapter's training run: rows, training, scale, and what else of the models has to fit it.

With another distance between questions and passages the order of candidates and the confidence are no longer right, so
both are learned anew behind it, on questions that it was not trained on.
"""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aion_assets.core.errors import TrainingDataError
from aion_assets.core.home import Home
from aion_assets.core.index.adapted_model import Adaptation, merge_adapter, remove_adapted
from aion_assets.core.index.embedding_model import EmbeddingModel, find_embedding_model
from aion_assets.core.language.question import question_language
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.contrastive_rows import ContrastiveRows, contrastive_rows
from aion_assets.core.learn.golden import DEV, golden_questions
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.pairs import GOLDEN, Pair, read_pairs
from aion_assets.core.learn.scales import (
    LEAST_QUESTIONS,
    SCALES,
    Pool,
    best_scale,
    dense_ndcg,
    judging_questions,
    pool_of,
)
from aion_assets.core.release.encoders import FULL, QUERY, encoders_of
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.releases import Release, read_release
from aion_assets.core.steps.report import ShowProgress
from aion_assets.core.steps.shadow import build_shadow, kept_models, over_index_of, remove_unused
from aion_assets.core.steps.training_calibration import learn_calibration
from aion_assets.core.steps.training_ranker import learn_ranker
from trainer.contrastive import ContrastiveConfig, train_contrastive
from trainer.embedder import Embedder, embedder_of
from trainer.encoder import TrainableEncoder
from trainer.progress import Loss

# With fewer rows an adapter learns them by heart.
LEAST_ROWS = 64
_NAME_DIGITS = 16
# A step of full mode embeds passages, too, forwards and back: some 6 GB and seconds with this batch, so they are fewer.
_FULL_STEPS: dict[str, Any] = {"batch": 16, "learning_rate": 2e-4, "epochs": 2}


@dataclass(frozen=True, slots=True)
class _Trained:
    base: EmbeddingModel
    digest: str
    folder: Path
    mode: str

    def adaptation(self, scale: float) -> Adaptation:
        return Adaptation(self.base.embedder_id, self.digest, scale)


def train_retriever_adapter(home: Home, request: dict[str, Any], show: ShowProgress) -> dict[str, Any]:
    """`request` is {release_id, mode} and may hold {config}: fields of `ContrastiveConfig`. The result is {models,
    figures}; models are empty when no scale of the adapter finds more than the base.

    Raises TrainingDataError: there is too little to learn from.
    """
    started = time.monotonic()
    release = read_release(home.database, request["release_id"])
    remove_unused(home)
    base = encoders_of(home, release.models).passages
    pairs = read_pairs(home)
    data = contrastive_rows(home, release, pairs)
    if len(data.rows) < LEAST_ROWS:
        raise TrainingDataError(
            f"There are {len(data.rows)} rows to train on, and {LEAST_ROWS} are needed.", "Add documents, ask more."
        )
    trained, figures = _train(home, data, base, request, show)
    scale, scales = _choose_scale(home, release, trained, judging_questions(home, data), show)
    figures |= {**data.figures(), **scales, "scale": scale, "mode": trained.mode, "adapter": trained.digest[:12]}
    found: dict[str, Any] = {}
    if scale:
        held_out = {row.question for row in data.held_out}
        adapted = _models(home, release.models, trained, scale)
        judged = [pair for pair in pairs if pair.question in held_out] + _of_dev(home)
        found = _fitted(home, release, adapted, judged, show)
    figures["minutes"] = round((time.monotonic() - started) / 60, 2)
    return {"models": found, "figures": figures}


def _train(
    home: Home, data: ContrastiveRows, base: EmbeddingModel, request: dict[str, Any], show: ShowProgress
) -> tuple[_Trained, dict[str, Any]]:
    import torch

    settings = home.settings
    torch.set_num_threads(max(1, os.cpu_count() or 1))
    mode = request["mode"]
    options: dict[str, Any] = {"mode": mode, "rank": settings.lora_rank, "alpha": settings.lora_alpha}
    options |= (_FULL_STEPS if mode == FULL else {}) | request.get("config", {})
    folder = settings.home / "training" / "retriever_adapter"
    result = train_contrastive(
        TrainableEncoder(base),
        data,
        ContrastiveConfig(**options),
        folder,
        lambda step, steps, loss: show(step, steps, Loss(loss)),
    )
    digest = result.record.digest
    target = settings.home / "adapters" / f"retriever-{digest[:_NAME_DIGITS]}"
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "adapter", target)
    figures = {
        "steps": len(result.losses),
        "first_loss": round(result.losses[0], 4),
        "last_loss": round(result.losses[-1], 4),
    }
    return _Trained(base, digest, target, options["mode"]), figures


def _choose_scale(
    home: Home, release: Release, trained: _Trained, questions: Sequence[LabelledQuestion], show: ShowProgress
) -> tuple[float, dict[str, float]]:
    """The scale, and dense nDCG@10 by scale."""
    if len(questions) < LEAST_QUESTIONS:
        _adapted(home, trained, 1.0)
        return 1.0, {"scale_questions": len(questions)}
    pool = pool_of(home, release.table, release.tag, questions, embedded=trained.mode == FULL)
    found = {0.0: _dense(Embedder(trained.base), questions, pool, trained, is_base=True)}
    for done, scale in enumerate(SCALES, 1):
        embedder = Embedder(_adapted(home, trained, scale))
        found[scale] = _dense(embedder, questions, pool, trained)
        show(done, len(SCALES), "scales")
    chosen = best_scale(found)
    kept = kept_models(home) | {trained.adaptation(chosen).name}
    remove_adapted(home.settings.home / "models", kept)
    told = {f"dense_ndcg@10/scale_{scale}": round(value, 4) for scale, value in found.items()}
    return chosen, {**told, "scale_questions": len(questions)}


def _dense(
    embedder: Embedder, questions: Sequence[LabelledQuestion], pool: Pool, trained: _Trained, *, is_base: bool = False
) -> float:
    vectors = pool.vectors if is_base or trained.mode == QUERY else embedder.embed(pool.texts)
    return dense_ndcg(embedder, questions, pool.doc_ids, vectors)


def _adapted(home: Home, trained: _Trained, scale: float) -> EmbeddingModel:
    name = merge_adapter(trained.base, trained.folder, trained.adaptation(scale), home.settings.home / "models")
    return find_embedding_model(name, home.settings.home)


def _models(home: Home, serving: ModelManifest, trained: _Trained, scale: float) -> ModelManifest:
    adapted = _adapted(home, trained, scale)
    passages = adapted if trained.mode == FULL else trained.base
    return replace(
        serving,
        passage_embedder={"id": passages.embedder_id, "name": passages.name, "dimension": passages.dimension},
        query_encoder={
            "id": trained.base.embedder_id,
            "adapter": trained.digest,
            "mode": trained.mode,
            "scale": scale,
        },
    )


def _fitted(
    home: Home, release: Release, adapted: ModelManifest, pairs: Sequence[Pair], show: ShowProgress
) -> dict[str, Any]:
    """The parts of the models that change: encoders, and the order and the confidence that fit them."""
    embedder = embedder_of(home, adapted)
    if adapted.query_encoder["mode"] == FULL:
        build_shadow(home, embedder, "", show)
    candidate = over_index_of(home, release, adapted)
    ranked = learn_ranker(home, candidate, embedder, pairs, show)
    candidate = replace(candidate, models=replace(adapted, ranker=ranked.ranker.to_json()))
    calibrated = learn_calibration(home, candidate, embedder, show)
    return {
        "passage_embedder": adapted.passage_embedder,
        "query_encoder": adapted.query_encoder,
        "ranker": ranked.ranker.to_json(),
        "calibration": calibrated.calibration.to_json(),
    }


def _of_dev(home: Home) -> list[Pair]:
    """Golden questions of the dev split as pairs: they judge, and the adapter was not trained on them."""
    return [
        Pair(item.text, question_language(item.text), doc_id, "", 1.0, GOLDEN, item.query_id)
        for item in by_document(home, golden_questions(home, DEV))
        for doc_id in item.relevant
    ]
