"""Checkpoints of a training run: what is trained, the optimiser, the random state and the place in the data.

A run that is killed goes on from the newest whole one as if nothing had happened. A checkpoint counts once its state,
written last, is there.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aion_assets.core.errors import TrainingDataError
from aion_assets.core.lake.durable import write_durably

if TYPE_CHECKING:
    from torch import Tensor

_STATE, _TENSORS = "state.json", "state.safetensors"
_KEPT = 2


class Checkpoints:
    """`key` tells runs apart: data, base and configuration. `optimiser` is an AdamW over `trained`."""

    def __init__(self, folder: Path, key: str, trained: "Mapping[str, Tensor]", optimiser: Any) -> None:
        self._folder, self._key, self._trained, self._optimiser = folder, key, trained, optimiser

    def save(self, step: int, **facts: Any) -> None:
        """Write the state after so many steps, with facts that JSON can hold; the newest two are kept."""
        import torch
        from safetensors.torch import save_file

        target = self._folder / f"{step:07d}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in self._tensors()}, target / _TENSORS)
        state = {"key": self._key, "step": step, **facts}
        write_durably(target / _STATE, json.dumps(state).encode())
        for old in sorted(self._folder.iterdir())[:-_KEPT]:
            shutil.rmtree(old)
        frozen = [name for name, value in self._trained.items() if not value.requires_grad]
        if frozen or not torch.is_grad_enabled():
            raise TrainingDataError("Saving froze the adapter.")

    def resume(self) -> dict[str, Any]:
        """Take over the newest whole checkpoint of this very run: step and facts, or nothing. Others are removed."""
        import torch
        from safetensors.torch import load_file

        for state_file in sorted(self._folder.glob(f"*/{_STATE}"), reverse=True):
            state: dict[str, Any] = json.loads(state_file.read_text("utf-8"))
            if state.pop("key") != self._key:  # of another run; left here, it would count as one of the newest
                shutil.rmtree(state_file.parent)
                continue
            stored = load_file(state_file.parent / _TENSORS)
            with torch.no_grad():
                for name, value in self._trained.items():
                    value.copy_(stored[f"adapter/{name}"])
            for name, value in self._trained.items():
                moments = {part: stored[f"{part}/{name}"].to(value.device) for part in ("exp_avg", "exp_avg_sq")}
                self._optimiser.state[value] = {"step": torch.tensor(float(state["step"])), **moments}
            torch.set_rng_state(stored["rng"])
            return state
        return {}

    def _tensors(self) -> "Iterator[tuple[str, Tensor]]":
        import torch

        for name, value in self._trained.items():
            yield f"adapter/{name}", value.detach()
            for part in ("exp_avg", "exp_avg_sq"):
                yield f"{part}/{name}", self._optimiser.state[value][part]
        yield "rng", torch.get_rng_state()
