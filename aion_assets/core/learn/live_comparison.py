"""Which of two rankers readers prefer, by their clicks on interleaved answers, with a rule when to stop.

Each answer whose clicks fall more on one team is a win for it. The evidence against "both win alike" is the ratio of
their likelihoods, with an even prior over the share of wins; it may be looked at as often as one likes (Ville 1939),
and stops at 20: were both alike, it would ever get there in at most one of 20 comparisons.
"""

from collections import Counter
from dataclasses import dataclass
from math import exp, lgamma, log

from sqlalchemy import select

from aion_assets.core.answer.interleaving import NEW, OLD
from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.record.events import ClickEvent, InterleavingEvent

_ENOUGH = 20.0
# Without a decision after so many answers the difference is too small to matter.
MOST_ANSWERS = 1_000
_events = tables.events


@dataclass(frozen=True, slots=True)
class Comparison:
    """`wins` and `losses` are answers whose readers preferred the ranker that serves, or the one before it."""

    wins: int = 0
    losses: int = 0

    @property
    def evidence(self) -> float:
        """2^n · wins! · losses! / (n + 1)!"""
        count = self.wins + self.losses
        return exp(count * log(2) + lgamma(self.wins + 1) + lgamma(self.losses + 1) - lgamma(count + 2))

    @property
    def is_decided(self) -> bool:
        return self.evidence >= _ENOUGH or self.wins + self.losses >= MOST_ANSWERS

    @property
    def is_lost(self) -> bool:
        return self.evidence >= _ENOUGH and self.losses > self.wins


def compare_live(home: Home, model_release_id: str, rival: str) -> Comparison:
    """By all interleaved answers of these models against that rival."""
    here = (_events.c.tenant_id == home.tenant_id, _events.c.kind == InterleavingEvent.kind)
    with home.database.read() as connection:
        rows = connection.execute(select(_events.c.answer_id, _events.c.body).where(*here)).all()
        teams = {
            row.answer_id: row.body["teams"]
            for row in rows
            if (row.body["models"], row.body["rival"]) == (model_release_id, rival)
        }
        clicked = (_events.c.tenant_id == home.tenant_id, _events.c.kind == ClickEvent.kind)
        interleaved = select(_events.c.answer_id).where(*here)
        clicks = connection.execute(
            select(_events.c.answer_id, _events.c.body).where(*clicked, _events.c.answer_id.in_(interleaved))
        ).all()
    numbers = {(row.answer_id, int(row.body["number"])) for row in clicks if row.answer_id in teams}
    score: Counter[str] = Counter()
    for answer_id, number in numbers:  # a source that is opened twice counts once
        team = teams[answer_id].get(str(number), "")
        score[answer_id] += (team == NEW) - (team == OLD)
    return Comparison(sum(value > 0 for value in score.values()), sum(value < 0 for value in score.values()))
