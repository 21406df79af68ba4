"""The generator's training run: what the process reads, and the adapter that it leaves."""

import os
import shutil
import time
from typing import Any

from aion_assets.core.errors import SettingsError, TrainingDataError
from aion_assets.core.home import Home
from aion_assets.core.learn.sft_rows import HELD_OUT, TRAIN, read_sft_rows
from aion_assets.core.steps.report import ShowProgress
from trainer.base_model import load_base_model
from trainer.sft import SftConfig, train_adapter

# With fewer rows an adapter learns them by heart.
LEAST_ROWS = 20
_NAME_DIGITS = 16


def train_generator(home: Home, request: dict[str, Any], show: ShowProgress) -> dict[str, Any]:
    """`request` may hold {config}: fields of `SftConfig`. The result is {digest, name, figures}; the adapter stands
    under that name in the folder of adapters.

    Raises SettingsError: no base model is set. TrainingDataError: there is too little to learn from.
    """
    import torch

    settings = home.settings
    if not settings.base_model:
        raise SettingsError("AION_BASE_MODEL is empty, so there is nothing to adapt.", "Name a model.")
    rows = read_sft_rows(home, TRAIN)
    if len(rows) < LEAST_ROWS:
        raise TrainingDataError(f"There are {len(rows)} rows to train on, and {LEAST_ROWS} are needed.", "Ask more.")
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    base = load_base_model(settings.base_model, in_4bit=settings.load_in_4bit)
    options = {"rank": settings.lora_rank, "alpha": settings.lora_alpha} | request.get("config", {})
    folder = settings.home / "training" / "generator"
    started = time.monotonic()
    messages = [[dict(message) for message in row.messages] for row in rows]
    trained = train_adapter(
        base, messages, SftConfig(**options), folder, lambda step, steps, loss: show(step, steps, f"loss {loss:.3f}")
    )
    name = trained.record.digest[:_NAME_DIGITS]
    target = settings.home / "adapters" / name
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder / "adapter", target)
    figures = {
        "rows": len(rows),
        "held_out_rows": len(read_sft_rows(home, HELD_OUT)),
        "too_long": trained.too_long,
        "tokens": trained.tokens,
        "steps": len(trained.losses),
        "first_loss": round(trained.losses[0], 4),
        "last_loss": round(trained.losses[-1], 4),
        "minutes": round((time.monotonic() - started) / 60, 2),
    }
    return {"digest": trained.record.digest, "name": name, "figures": figures}
