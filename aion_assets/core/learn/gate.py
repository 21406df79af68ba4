"""The quality gate: whether candidate models may take the place of those that serve.

Both are measured on the same frozen questions, so their differences are paired. The candidate must be worse nowhere,
and better somewhere beyond noise. What it learned from must be worth believing: golden questions are a few hundred, and
clicks may spoil what these do not ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from aion_assets.core.learn.measured import Measured, squared_errors
from aion_assets.core.learn.metrics import auroc, paired_bootstrap

# The hybrid may be this much worse at the lower bound of its interval.
_HYBRID_SLACK = 0.005
# The AUROC and the Brier score of the confidence may be this much worse. Their intervals are wider than that on a few
# hundred questions, so a bound of them alone would block by chance what changes nothing.
_AUROC_SLACK = _TRUTH_SLACK = 0.02
# A search may become this much slower, and by as many milliseconds, which a median of short searches varies by anyway.
_SLOWER, _SLOWER_MS = 1.5, 10.0
_AUROC_SAMPLES = 400


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean difference of candidate and incumbent with the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def is_real(self) -> bool:
        return self.low > 0

    def is_loss(self, slack: float) -> bool:
        """As large as `slack`, or smaller and beyond noise where it may be as large."""
        return self.mean <= -slack or (self.high < 0 and self.low <= -slack)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`says` gives the reasons in sentences, those against first."""

    passes: bool
    says: str
    gains: Mapping[str, Gain] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        return {
            f"{name}/{part}": round(getattr(gain, part), 4)
            for name, gain in self.gains.items()
            for part in ("mean", "low", "high")
        }


def judge(
    incumbent: Measured,
    candidate: Measured,
    least_questions: int,
    dense: tuple[Measured, Measured] | None = None,
    doubt: str = "",
) -> Verdict:
    """`dense`: the two measured with vectors alone, where these differ. `doubt`: why what the candidate learned from is
    not to be believed, "" when it is.
    """
    count = len(incumbent.ndcg)
    if incumbent.query_ids != candidate.query_ids:
        return Verdict(False, "The two were measured on different questions.")
    if count < least_questions:
        return Verdict(False, f"Only {count} golden questions measure; {least_questions} are needed to judge.")
    gains = {
        "hybrid": Gain(*paired_bootstrap(incumbent.ndcg, candidate.ndcg)),
        "candidates": Gain(*paired_bootstrap(incumbent.found, candidate.found)),
        "auroc": _auroc_gain(incumbent, candidate),
        "truth": Gain(*paired_bootstrap(squared_errors(candidate), squared_errors(incumbent))),
    }
    if dense is not None:
        gains["dense"] = Gain(*paired_bootstrap(dense[0].ndcg, dense[1].ndcg))
    against = ([doubt] if doubt else []) + _reasons_against(incumbent, candidate, gains)
    # A truer confidence is a gain by itself only where the order is the same: another order moves it by chance.
    reordered = incumbent.ndcg != candidate.ndcg
    better = [name for name, gain in gains.items() if gain.is_real and not (reordered and name == "truth")]
    if not better:
        against.append("Nothing is better beyond noise.")
    told = _told(gains["hybrid"], count) if reordered else _told_truth(incumbent, candidate, gains["truth"])
    return Verdict(not against, " ".join([*against, told]), gains)


def _reasons_against(incumbent: Measured, candidate: Measured, gains: Mapping[str, Gain]) -> list[str]:
    against = []
    if gains["hybrid"].low <= -_HYBRID_SLACK:
        against.append(f"The order may be worse by more than {_HYBRID_SLACK}.")
    if gains["auroc"].is_loss(_AUROC_SLACK):
        against.append(f"The confidence tells answers worse: its AUROC changes by {gains['auroc'].mean:+.3f}.")
    if gains["truth"].is_loss(_TRUTH_SLACK):
        against.append(f"The confidence is less true: its squared error grows by {-gains['truth'].mean:.3f}.")
    before, after = (float(np.median(item.search_ms)) for item in (incumbent, candidate))
    if after > _SLOWER * before + _SLOWER_MS:
        against.append(f"A search takes {after:.0f} ms instead of {before:.0f} ms.")
    return against


def _told(hybrid: Gain, count: int) -> str:
    interval = f"between {hybrid.low:+.4f} and {hybrid.high:+.4f}"
    return f"nDCG@10 changes by {hybrid.mean:+.4f} ({interval}) on {count} questions."


def _told_truth(before: Measured, after: Measured, truth: Gain) -> str:
    interval = f"between {truth.low:+.4f} and {truth.high:+.4f}"
    return (
        f"The confidence's squared error falls by {truth.mean:+.4f} ({interval}), its calibration error goes from "
        f"{before.ece:.3f} to {after.ece:.3f}."
    )


def _auroc_gain(incumbent: Measured, candidate: Measured, seed: int = 0) -> Gain:
    """Questions are drawn again and again, those with and those without an answer apart."""
    mean = candidate.auroc - incumbent.auroc
    chance = np.random.default_rng(seed)
    pairs = [(np.array(one), np.array(other)) for one, other in (
        (incumbent.present, candidate.present), (incumbent.absent, candidate.absent)
    )]  # fmt: skip
    if not all(len(one) and len(one) == len(other) for one, other in pairs):
        return Gain(0.0, 0.0, 0.0)
    gains = []
    for _ in range(_AUROC_SAMPLES):
        drawn = [(one[rows], other[rows]) for one, other in pairs for rows in [chance.integers(0, len(one), len(one))]]
        (old_present, new_present), (old_absent, new_absent) = drawn
        gains.append(
            auroc(new_present.tolist(), new_absent.tolist()) - auroc(old_present.tolist(), old_absent.tolist())
        )
    low, high = np.quantile(gains, [0.025, 0.975])
    return Gain(float(mean), float(low), float(high))
