"""A training run from its request to its candidate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aion_assets.core.database.engine import now
from aion_assets.core.home import Home
from aion_assets.core.learn.adapter_mode import adapter_mode
from aion_assets.core.learn.trainings import (
    COMPLETE,
    NO_GAIN,
    RETRIEVER_ADAPTER,
    RUNNING,
    Training,
    active_training,
    change_training,
    end_training,
    read_training,
    request_training,
)
from aion_assets.core.release.manifest import ModelManifest, canonical
from aion_assets.core.release.models import store_candidate
from aion_assets.core.release.releases import current_release

_FOLDER = "training"


@dataclass(frozen=True, slots=True)
class TrainingTask:
    """What the trainer's process reads, and where it writes. `program` is what it does."""

    training: Training
    folder: Path
    request: Mapping[str, Any]
    program: str

    @property
    def request_file(self) -> Path:
        return self.folder / f"{self.program}-request.json"

    @property
    def result_file(self) -> Path:
        return self.folder / f"{self.program}-result.json"


def task_of(home: Home, training: Training, request: Mapping[str, Any], program: str) -> TrainingTask:
    folder = home.settings.home / _FOLDER / training.training_id
    return TrainingTask(training, folder, {"training_id": training.training_id, **request}, program)


def begin_training(home: Home, learner: str, run_id: str) -> TrainingTask:
    """Take over the training under way, or make one for a run that was started by hand in Dagster.

    Raises NoReleaseError: nothing serves that could become better. TrainingUnderWayError: another learner's is under
    way.
    """
    release = current_release(home.database, home.tenant_id)
    active = active_training(home)
    if active is None or active.learner != learner:
        active = request_training(home, learner, "dagster", "Started by hand in Dagster.", RUNNING)
    begun = {"state": RUNNING, "run_id": run_id, "started_at": active.started_at or now()}
    change_training(home, active.training_id, incumbent=release.model_release_id, **begun)
    request = {"learner": learner, "release_id": release.release_id}
    if learner == RETRIEVER_ADAPTER:
        request["mode"] = adapter_mode(home)
    return task_of(home, read_training(home, active.training_id), request, learner)


def finish_training(home: Home, task: TrainingTask, result: Mapping[str, Any], run_id: str) -> str:
    """Store the candidate and return its id, "" when nothing was learned, which ends the training."""
    models = current_release(home.database, home.tenant_id).models
    change_training(home, task.training.training_id, figures=dict(result["figures"]))
    learned = replace(models, **result["models"])
    if _alike(learned, models):
        says = "What was recorded teaches nothing else than what serves."
        end_training(home, task.training.training_id, COMPLETE, outcome=NO_GAIN, says=says)
        return ""
    candidate = store_candidate(home, learned, run_id)
    change_training(home, task.training.training_id, candidate=candidate)
    return candidate


def _alike(learned: ModelManifest, serving: ModelManifest) -> bool:
    """Whether they differ at most in what they were fitted on."""

    def acting(models: ModelManifest) -> list[str]:
        parts = (models.query_encoder, models.ranker, models.calibration)
        told = [canonical({name: value for name, value in part.items() if name != "fitted_on"}) for part in parts]
        return [*told, models.base_model, models.generator_adapter]

    return acting(learned) == acting(serving)
