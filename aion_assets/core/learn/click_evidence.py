"""Whether clicks know anything of what is right: their evidence, apart from the place where a source stood.

What stands first is clicked most, whoever clicks. But people who read click a source the more often the better it
suits the question by meaning or by words; somebody who clicks anything does not, and somebody who clicks what is wrong
does so the less. A conditional logit (McFadden 1974) of the clicked source among those shown parts the two,
u = b(place) + g · signal: the places take whatever people do because of the place, and g is what is left. Each signal
is asked alone, since the order that serves may be the very thing that clicks are to mend.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.record.events import ClickEvent

# Scores of a passage that are recorded with an answer.
_SIGNALS = ("score", "dense", "lexical", "reading")
# Fewer clicks decide little, and cannot be told from noise.
_LEAST_CLICKS = 250
# Clicks of which 70 % are on what is right show .3 to .5 by the score (docs/experiments.md, "What clicks know").
# Where all intervals end below this, clicks do not follow the texts; where one ends above it, nothing can be said.
_LEAST_GAIN = 0.25
# In standard errors. That one signal of four lies above 0 is said with 97.5 % (Bonferroni); that all four lie below
# _LEAST_GAIN with 95 %, for which each alone must (Berger 1982).
_BELOW, _ABOVE = 2.498, 1.645
# Later places share one effect.
_MOST_PLACES = 5
_STEPS = 50
_RIDGE = 1e-3
_passages, _events = tables.answer_passages, tables.events


@dataclass(frozen=True, slots=True)
class Choice:
    """The sources of one answer in the order in which a person saw them: the signals of each, and the clicked one."""

    signals: Sequence[Mapping[str, float]]
    clicked: int


@dataclass(frozen=True, slots=True)
class ClickEvidence:
    """`gains`: signal → g, what it is at least where signals are asked together, and what it is at most by itself, per
    standard deviation of the signal within an answer. `clicks`: how many tell.
    """

    clicks: int
    gains: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def is_believed(self) -> bool:
        return self._can_tell and any(low > 0 for _, low, _ in self.gains.values())

    @property
    def doubt(self) -> str:
        """Why nothing should be learned from these clicks, "" where they tell something or are too few to say."""
        if not self._can_tell or self.is_believed or any(high >= _LEAST_GAIN for *_, high in self.gains.values()):
            return ""
        if any(2 * gain < low for gain, low, _ in self.gains.values()):  # as far below 0 as is asked for above it
            return f"The {self.clicks} clicks go against what the texts say ({self._least})."
        return f"The {self.clicks} clicks follow the place of a source and not what it says ({self._most})."

    @property
    def says(self) -> str:
        if self.is_believed:
            return f"The {self.clicks} clicks follow what the texts say ({self._most})."
        return self.doubt or f"{self.clicks} clicks are too few to tell whether they follow what the texts say."

    @property
    def _can_tell(self) -> bool:
        return self.clicks >= _LEAST_CLICKS and bool(self.gains)

    @property
    def _least(self) -> str:
        return self._told(min(self.gains, key=lambda name: self.gains[name][0]))

    @property
    def _most(self) -> str:
        return self._told(max(self.gains, key=lambda name: self.gains[name][0]))

    def _told(self, name: str) -> str:
        gain, low, high = self.gains[name]
        return f"{name} {gain:+.2f}, between {low:+.2f} and {high:+.2f}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def recorded_evidence(home: Home) -> ClickEvidence:
    """Of the first click on each answer."""
    return click_evidence(list(_choices(home)))


def click_evidence(choices: Sequence[Choice]) -> ClickEvidence:
    """Answers with a single source tell nothing and are left out, and so are signals that are the same everywhere."""
    told = [choice for choice in choices if len(choice.signals) > 1]
    gains = {}
    for name in _SIGNALS if told else ():
        found = _gain(told, name)
        if found is not None:
            gains[name] = found
    return ClickEvidence(len(told), gains)


def _gain(choices: Sequence[Choice], name: str) -> tuple[float, float, float] | None:
    """g of one signal with its bounds, by Newton's method."""
    features, shown, clicked = _arrays(choices, name)
    spread = features[..., -1][shown].std()
    if spread <= 0:
        return None
    features[..., -1] /= spread
    count = features.shape[2]
    weights = np.zeros(count)
    curvature = np.eye(count)
    for _ in range(_STEPS):
        utility = np.where(shown, features @ weights, -np.inf)
        chances = np.exp(utility - utility.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        expected = np.einsum("np,npf->nf", chances, features)
        slope = (features[np.arange(len(clicked)), clicked] - expected).sum(axis=0) - _RIDGE * weights
        curvature = np.einsum("np,npf,npg->fg", chances, features, features) - expected.T @ expected
        curvature += _RIDGE * np.eye(count)
        step = np.linalg.solve(curvature, slope)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    gain, error = float(weights[-1]), float(np.sqrt(np.linalg.inv(curvature)[-1, -1]))
    return round(gain, 4), round(gain - _BELOW * error, 4), round(gain + _ABOVE * error, 4)


def _arrays(choices: Sequence[Choice], name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int64]]:
    """(answers, sources, places) features, the signal last and around its mean of the answer; (answers, sources)
    whether there is such a source; (answers,) the clicked one. The first place has no effect of its own.
    """
    most = max(len(choice.signals) for choice in choices)
    places = min(most, _MOST_PLACES)
    features = np.zeros((len(choices), most, places))
    shown = np.zeros((len(choices), most), dtype=bool)
    for row, choice in enumerate(choices):
        count = len(choice.signals)
        values = np.asarray([signals[name] for signals in choice.signals])
        shown[row, :count] = True
        features[row, :count, -1] = values - values.mean()
        for at in range(1, count):
            features[row, at, min(at, places - 1) - 1] = 1.0
    return features, shown, np.asarray([choice.clicked for choice in choices], dtype=np.int64)


def _choices(home: Home) -> Iterator[Choice]:
    of_clicks = (_events.c.tenant_id == home.tenant_id, _events.c.kind == ClickEvent.kind)
    answers = select(_events.c.answer_id).where(*of_clicks)
    events = select(_events.c.answer_id, _events.c.body).where(*of_clicks).order_by(_events.c.event_id)
    columns = (_passages.c.answer_id, _passages.c.rank, _passages.c.scores)
    shown = select(*columns).where(_passages.c.number > 0, _passages.c.answer_id.in_(answers))
    clicked: dict[str, int] = {}
    sources: dict[str, list[tuple[int, Mapping[str, float]]]] = {}
    with home.database.read() as connection:
        for row in connection.execute(events):
            clicked.setdefault(row.answer_id, row.body["rank"])
        for row in connection.execute(shown.order_by(_passages.c.answer_id, _passages.c.number)):
            sources.setdefault(row.answer_id, []).append((row.rank, row.scores))
    for answer_id, found in sources.items():
        ranks = [rank for rank, _ in found]
        # What stands under a correction was not searched for and has no scores.
        if clicked[answer_id] in ranks and all(set(_SIGNALS) <= set(scores) for _, scores in found):
            yield Choice([scores for _, scores in found], ranks.index(clicked[answer_id]))
