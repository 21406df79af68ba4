"""The generator's training run: what the process reads, and the adapter that it leaves."""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from aion_assets.core.errors import SettingsError, TrainingDataError
from aion_assets.core.home import Home
from aion_assets.core.learn.hostile_rows import with_orders
from aion_assets.core.learn.sft_rows import HELD_OUT, TRAIN, read_sft_rows
from aion_assets.core.learn.unanswerable import chosen, without_answer
from aion_assets.core.steps.report import ShowProgress
from trainer.adapters import folder_name
from trainer.base_model import load_base_model
from trainer.elsewhere import hand_out
from trainer.plan import Plan, planned, refuse_what_cannot_fit
from trainer.progress import Loss
from trainer.sft import Conversation, SftConfig, train_adapter
from trainer.training_store import Job, TrainingStore

# With fewer rows an adapter learns them by heart.
LEAST_ROWS = 20
# With fewer rows the steps are smaller and more, else there are too few to learn a form.
_FEW_ROWS = 400


def train_generator(home: Home, request: dict[str, Any], show: ShowProgress) -> dict[str, Any]:
    """`request` may hold {config}: fields of `SftConfig`. The result is {models, digest, name, figures}; the adapter
    stands under that name in the folder of adapters.

    With a training store, another machine trains, and this one waits for it.

    Raises SettingsError: no base model is set. TrainingDataError: there is too little to learn from, or the other
    machine failed. TrainingPlanError: this machine has not the memory for it. TrainingStoreError: nobody reaches it.
    """
    import torch

    settings = home.settings
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    task = _task(home, request.get("config", {}))
    if settings.training_store:
        return _trained_elsewhere(home, task, show)
    plan = _plan(home, task)
    show(0, 1, plan.says())
    refuse_what_cannot_fit(plan, task.config)
    base = load_base_model(settings.base_model, in_4bit=settings.load_in_4bit)
    folder = settings.home / "training" / "generator"
    started = time.monotonic()
    trained = train_adapter(
        base, task.conversations, task.config, folder, lambda step, steps, loss: show(step, steps, Loss(loss))
    )
    name = folder_name(trained.record.digest)
    target = settings.home / "adapters" / name
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "adapter", target)
    figures = {
        **_counts(home, task, trained.record.digest),
        **trained.figures(),
        **plan.figures(),
        "minutes": round((time.monotonic() - started) / 60, 2),
    }
    return _result(f"{base.name}@{base.digest}", trained.record.digest, figures)


def _trained_elsewhere(home: Home, task: "_Task", show: ShowProgress) -> dict[str, Any]:
    settings = home.settings
    job = Job(settings.base_model, settings.load_in_4bit, asdict(task.config), task.conversations)
    found = hand_out(TrainingStore(settings.training_store), job, settings.home / "adapters", show)
    counts = _counts(home, task, found["digest"])
    return _result(found["base"], found["digest"], {**counts, **found["figures"], "trained_on": found["worker"]})


def _result(base: str, digest: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    models = {"base_model": base, "generator_adapter": digest}
    return {"models": models, "digest": digest, "name": folder_name(digest), "figures": figures}


def _counts(home: Home, task: "_Task", digest: str) -> dict[str, Any]:
    return {
        "adapter": digest,
        "rows": task.rows,
        "rows_without_answer": task.unanswerable,
        "rows_with_order": task.hostile,
        "held_out_rows": len(read_sft_rows(home, HELD_OUT)),
    }


def plan_generator(home: Home) -> Plan:
    """What a training would take that began now. Raises what `train_generator` raises before it trains, but a plan
    that does not fit is returned.
    """
    return _plan(home, _task(home, {}))


@dataclass(frozen=True, slots=True)
class _Task:
    """`rows` of the record, `unanswerable` ones without their answer and `hostile` ones with an order, together as
    conversations.
    """

    rows: int
    unanswerable: int
    hostile: int
    conversations: Sequence[Conversation]
    config: SftConfig


def _task(home: Home, changes: dict[str, Any]) -> _Task:
    settings = home.settings
    if not settings.base_model:
        raise SettingsError("AION_BASE_MODEL is empty, so there is nothing to adapt.", "Name a model.")
    rows = read_sft_rows(home, TRAIN)
    if len(rows) < LEAST_ROWS:
        raise TrainingDataError(f"There are {len(rows)} rows to train on, and {LEAST_ROWS} are needed.", "Ask more.")
    config = SftConfig(
        rank=settings.lora_rank,
        alpha=settings.lora_alpha,
        learning_rate=settings.lora_learning_rate,
        epochs=settings.lora_epochs,
        max_tokens=settings.lora_max_tokens,
        batch_tokens=settings.lora_batch_tokens,
        accumulation=SftConfig().accumulation if len(rows) >= _FEW_ROWS else 2,
    )
    unanswerable = without_answer(home, chosen(rows))
    hostile = with_orders(home, rows)
    conversations = [[dict(message) for message in row.messages] for row in (*rows, *unanswerable, *hostile)]
    return _Task(len(rows), len(unanswerable), len(hostile), conversations, replace(config, **changes))


def _plan(home: Home, task: _Task) -> Plan:
    settings = home.settings
    price = settings.machine_price_per_hour
    return planned(settings.base_model, task.conversations, task.config, in_4bit=settings.load_in_4bit, price=price)
