"""A process to be killed: learns, measures, judges and releases as a run of `learn_ranker` does, without Dagster.

    python learner.py '{"at": "module:name", "when": "after"}'

The plan is that of driver.py.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from driver import arm
from workbench import Workbench, loaded_embedder

from aion_assets.core.learn.pairs import build_pairs
from aion_assets.core.learn.trainings import RANKER
from aion_assets.core.settings import load_settings
from aion_assets.core.steps import candidate, release, training
from aion_assets.core.steps.report import silent
from trainer.ranker import train_ranker


def learn(bench: Workbench) -> None:
    home, run_id = bench.home, "run-learned"
    build_pairs(home)
    task = training.begin_training(home, RANKER, run_id)
    result = train_ranker(home, dict(task.request), silent)
    if training.finish_training(home, task, result, run_id):
        candidate.measure_candidate(home, lambda models: loaded_embedder(bench.model), run_id)
        release.release_index(home, bench.model, run_id)


if __name__ == "__main__":
    plan = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    if plan:
        arm(plan)
    learn(Workbench(load_settings()))
