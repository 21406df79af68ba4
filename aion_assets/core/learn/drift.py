"""Whether what people ask, and how it is answered, is spread as it was before: Evidently's tests on each figure.

Evidently's own page is not used: it is for engineers, weighs 4 MB, and needs scripts that AION's pages forbid.
"""

import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# With fewer answers on either side a test tells nothing.
LEAST_ANSWERS = 30
# A figure has drifted below this p value. With a dozen figures .05 would find one by chance in most reports.
_P = 0.01


@dataclass(frozen=True, slots=True)
class Drift:
    """Of one figure: its means, or its most frequent values, and the p value that both are spread alike."""

    name: str
    before: float | str
    now: float | str
    p: float

    @property
    def is_real(self) -> bool:
        return self.p < _P


def find_drift(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[Drift]:
    """By rising p value; [] where either side has fewer than LEAST_ANSWERS rows. Rows have the same names: numbers are
    compared by Kolmogorov and Smirnov, texts by their shares.
    """
    if min(len(before), len(now)) < LEAST_ANSWERS:
        return []
    import pandas as pd

    frames = [pd.DataFrame(list(rows)) for rows in (before, now)]
    names = [name for name in frames[1].columns if name in frames[0].columns]
    numbers = {name for name in names if all(pd.api.types.is_numeric_dtype(frame[name]) for frame in frames)}
    varied = [name for name in names if len({*frames[0][name], *frames[1][name]}) > 1]
    found = _p_values([frame[varied] for frame in frames], varied, numbers)
    drifts = [Drift(name, _typical(frames[0][name]), _typical(frames[1][name]), found[name]) for name in varied]
    return sorted(drifts, key=lambda item: (item.p, item.name))


def _p_values(frames: Sequence[Any], names: Sequence[str], numbers: Collection[str]) -> dict[str, float]:
    os.environ.setdefault("DO_NOT_TRACK", "1")  # it counts its users otherwise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of numpy
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

        form = DataDefinition(
            numerical_columns=[name for name in names if name in numbers],
            categorical_columns=[name for name in names if name not in numbers],
        )
        metrics = [ValueDrift(column=name, method="ks" if name in numbers else "chisquare") for name in names]
        reference, current = (Dataset.from_pandas(frame, data_definition=form) for frame in frames)
        told = Report(metrics).run(current, reference).dict()["metrics"]
    return {item["config"]["column"]: float(item["value"]) for item in told}


def _typical(column: Any) -> float | str:
    try:
        return round(float(column.mean()), 4)
    except (TypeError, ValueError):
        return str(column.mode()[0])
