"""A process to be killed: learns, measures, judges and releases as a run of a learner's job does, without Dagster.

    python learner.py '{"learner": "ranker", "at": "module:name", "when": "after"}'

The plan is that of driver.py. The retriever adapter is trained in few steps, with a checkpoint after every fifth.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from driver import arm
from workbench import Workbench

from aion_assets.core.home import Home
from aion_assets.core.learn.pairs import build_pairs
from aion_assets.core.learn.trainings import RANKER
from aion_assets.core.release.encoders import embedder_in_use
from aion_assets.core.settings import load_settings
from aion_assets.core.steps import candidate, release, training
from aion_assets.core.steps.report import silent
from trainer.embedder import embedder_of
from trainer.ranker import train_ranker


def learn(bench: Workbench, learner: str = RANKER) -> None:
    home, run_id = bench.home, "run-learned"
    build_pairs(home)
    task = training.begin_training(home, learner, run_id)
    result = _train(home, learner, dict(task.request))
    if training.finish_training(home, task, result, run_id):
        candidate.measure_candidate(home, lambda models: embedder_of(home, models), run_id)
        release.release_index(home, embedder_in_use(home), run_id)


def _train(home: Home, learner: str, request: dict[str, Any]) -> dict[str, Any]:
    if learner == RANKER:
        return train_ranker(home, request, silent)
    from trainer.retriever_adapter import train_retriever_adapter

    return train_retriever_adapter(home, {**request, "config": {"least_steps": 20, "checkpoint_every": 5}}, silent)


if __name__ == "__main__":
    plan = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    if plan:
        arm(plan)
    learn(Workbench(load_settings()), plan.get("learner", RANKER))
