"""The ranker's training run: what the process reads and what it hands back."""

from typing import Any

from aion_assets.core.home import Home
from aion_assets.core.learn.pairs import read_pairs
from aion_assets.core.release.releases import read_release
from aion_assets.core.steps.report import ShowProgress
from aion_assets.core.steps.training_ranker import learn_ranker
from trainer.embedder import embedder_of


def train_ranker(home: Home, request: dict[str, Any], show: ShowProgress) -> dict[str, Any]:
    """`request` is {release_id}; the result {models: {ranker}, figures}."""
    release = read_release(home.database, request["release_id"])
    embedder = embedder_of(home, release.models)
    learned = learn_ranker(home, release, embedder, read_pairs(home), show)
    return {"models": {"ranker": learned.ranker.to_json()}, "figures": learned.figures}
