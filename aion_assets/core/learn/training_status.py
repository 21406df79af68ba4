"""What people are told of the learning loop, by API and command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aion_assets.core.home import Home
from aion_assets.core.learn.quality_drop import is_suspended
from aion_assets.core.learn.trainings import Training, last_trainings
from aion_assets.core.learn.watch import last_look, remember

_SHOWN = (
    "training_id", "learner", "state", "outcome", "says", "requested_by", "why", "requested_at", "started_at",
    "ended_at", "run_id", "incumbent", "candidate", "figures",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainingStatus:
    """`trainings` are the last ones, the newest first. `watch_says`: why the watch started something or not."""

    trainings: Sequence[Training]
    suspended: bool
    looked_at: datetime | None
    watch_says: str

    @property
    def is_running(self) -> bool:
        return any(item.is_active for item in self.trainings)

    def as_dict(self) -> dict[str, Any]:
        return {
            "running": self.is_running,
            "suspended": self.suspended,
            "watch": {"looked_at": self.looked_at, "says": self.watch_says},
            "trainings": [{name: getattr(item, name) for name in _SHOWN} for item in self.trainings],
        }


def training_status(home: Home, limit: int = 10) -> TrainingStatus:
    looked_at, says = last_look(home)
    return TrainingStatus(last_trainings(home, limit), is_suspended(remember(home)), looked_at, says)
