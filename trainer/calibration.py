"""The calibration's training run: what the process reads and what it hands back."""

from typing import Any

from aion_assets.core.home import Home
from aion_assets.core.release.releases import read_release
from aion_assets.core.steps.report import ShowProgress
from aion_assets.core.steps.training_calibration import learn_calibration
from trainer.embedder import embedder_of


def train_calibration(home: Home, request: dict[str, Any], show: ShowProgress) -> dict[str, Any]:
    """`request` is {release_id}; the result {models: {calibration}, figures}."""
    release = read_release(home.database, request["release_id"])
    learned = learn_calibration(home, release, embedder_of(home, release.models), show)
    return {"models": {"calibration": learned.calibration.to_json()}, "figures": learned.figures}
