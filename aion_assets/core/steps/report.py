"""The report of a pipeline step."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

# done, total (0 while unknown), what is being done
ShowProgress = Callable[[int, int, str], None]


@dataclass(slots=True)
class StepReport:
    """`counts`: rows by what happened to them. `drops`: rows that were not carried on, by reason. `data_version`:
    fingerprint of the rows that the step holds.
    """

    rows: int = 0
    data_version: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    drops: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    notes: dict[str, float | int | str] = field(default_factory=dict)


def silent(_done: int, _total: int, _what: str) -> None:
    """For callers that show no progress."""
