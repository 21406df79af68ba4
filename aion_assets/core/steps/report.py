"""What every step of the pipeline tells of its work."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

# done, total (0 while unknown), what is being done
ShowProgress = Callable[[int, int, str], None]


@dataclass(slots=True)
class StepReport:
    """`counts` are rows by what happened to them, `drops` are rows not carried on, by reason; `data_version` is the
    fingerprint of what the step now holds."""

    rows: int = 0
    data_version: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    notes: dict[str, float | int | str] = field(default_factory=dict)


def silent(_done: int, _total: int, _what: str) -> None:
    """For callers that show no progress."""
