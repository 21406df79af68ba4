"""Which threshold of confidence would cost least, on what the golden questions say: a proposal, which a person applies.

Cost(τ) = p(C < τ) · c_fallback + p(C ≥ τ) · c_local + p(C ≥ τ and no answer is there) · c_wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.recalibration import PRESENT_SHARE

# With fewer cases of either kind the best threshold is chance.
LEAST_CASES = 30
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one question, in any one unit."""

    fallback: float
    local: float
    wrong: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """`tau` costs `cost` a question; the threshold in use costs `cost_now`."""

    tau: float
    cost: float
    cost_now: float
    cases: int


def propose_threshold(measured: Measured, tau_now: float, costs: Costs) -> Proposal | None:
    """None where too little was measured. Of thresholds that cost the same, the one nearest to that in use."""
    if min(len(measured.present), len(measured.absent)) < LEAST_CASES:
        return None
    now = _cost(measured, tau_now, costs)
    steps = (step / _STEPS for step in range(_STEPS + 1))
    cost, _, tau = min((round(_cost(measured, tau, costs), 9), abs(tau - tau_now), tau) for tau in steps)
    if cost >= now:
        tau, cost = tau_now, now
    return Proposal(tau, round(cost, 4), round(now, 4), len(measured.present) + len(measured.absent))


def _cost(measured: Measured, tau: float, costs: Costs) -> float:
    """Both kinds count as often as such questions are asked."""
    right = PRESENT_SHARE * _share(measured.present, tau)
    wrong = (1 - PRESENT_SHARE) * _share(measured.absent, tau)
    return (1 - right - wrong) * costs.fallback + (right + wrong) * costs.local + wrong * costs.wrong


def _share(confidences: Iterable[float], tau: float) -> float:
    values = [*confidences]
    return sum(value >= tau for value in values) / len(values)
