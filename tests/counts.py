"""How many hostile inputs a run tried, and how many did harm, printed at the end of the run.

`AION_LONG=1`, which `make attack` and `make faults` set, runs the long forms.
"""

import os

LONG = bool(os.environ.get("AION_LONG"))
_counts: dict[str, tuple[int, int]] = {}


def amount(short: int, long: int) -> int:
    return long if LONG else short


def note(what: str, tried: int, harmed: int = 0) -> None:
    """Add to the row `what`; the same words add up."""
    before = _counts.get(what, (0, 0))
    _counts[what] = (before[0] + tried, before[1] + harmed)


def lines() -> list[str]:
    """The table, one line a row, as the chapter on reliability shows it; empty where nothing was counted."""
    if not _counts:
        return []
    width = max(map(len, _counts))
    head = f"{'tried':>9}  {'harmed':>6}"
    return [f"{'':{width}}  {head}"] + [
        f"{what:{width}}  {tried:>9}  {harmed:>6}" for what, (tried, harmed) in sorted(_counts.items())
    ]
