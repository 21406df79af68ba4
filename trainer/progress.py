"""What a step of training says of itself while it runs."""

from typing import Self


class Loss(str):
    """The loss of a step in words, for whoever shows words, and as a number, which Dagster draws as a curve."""

    value: float

    def __new__(cls, value: float, where: str = "") -> Self:
        made = super().__new__(cls, f"loss {value:.3f}{where}")
        made.value = round(value, 4)
        return made
