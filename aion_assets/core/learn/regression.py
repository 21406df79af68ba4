"""Whether the models that serve are worse than those before them, seen by what happened since they serve."""

import math
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from aion_assets.core.database import tables
from aion_assets.core.database.engine import now
from aion_assets.core.home import Home
from aion_assets.core.learn.live_comparison import compare_live
from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.metrics import paired_bootstrap
from aion_assets.core.learn.reports import GOLDEN, newest_report
from aion_assets.core.record.answers import State
from aion_assets.core.record.events import ReleaseEvent
from aion_assets.core.release.models import LEARNED, origin_of, serving_release
from aion_assets.core.release.releases import Release, list_releases

# A difference of two shares counts when it is this many standard errors.
_STANDARD_ERRORS = 3.0
# Models rolled back by themselves are not followed by another roll-back within this time.
_PAUSE = timedelta(hours=1)
_answers, _releases = tables.answers, tables.releases


@dataclass(frozen=True, slots=True)
class Regression:
    """`to` is the model release to go back to, "" when nothing is worse. `says` tells why, or why not."""

    to: str
    says: str


def find_regression(home: Home) -> Regression:
    current = serving_release(home)
    if current is None or origin_of(home.database, current.model_release_id) != LEARNED:
        return Regression("", "The models that serve are the built-in ones.")
    before = served_before(home, current.model_release_id)
    if not before:
        return Regression("", "No models served before these.")
    if _rolled_back_lately(home):
        return Regression("", "Models were rolled back within the last hour.")
    worse = _golden_worse(home, current, before) or _abstains_more(home, current, before)
    worse = worse or _readers_prefer_before(home, current, before)
    return Regression(before, worse) if worse else Regression("", "The models that serve are not worse than before.")


def served_before(home: Home, model_release_id: str) -> str:
    """The models in whose place these came last, "" when they were the first."""
    models_of = {row.release_id: row.model_release_id for row in list_releases(home.database, home.tenant_id)}
    events = tables.events
    here = (events.c.tenant_id == home.tenant_id, events.c.kind == ReleaseEvent.kind)
    with home.database.read() as connection:
        asked = select(events.c.body).where(*here).order_by(events.c.event_id.desc())
        for body in connection.execute(asked).scalars():
            before = models_of.get(body["before"], "")
            if before and before != model_release_id and models_of.get(body["release_id"]) == model_release_id:
                return before
    return ""


def _golden_worse(home: Home, current: Release, before: str) -> str:
    """On golden questions: both releases must have been measured on the same ones."""
    after = newest_report(home, GOLDEN, current.release_id)
    if after is None:
        return ""
    for row in list_releases(home.database, home.tenant_id):
        stored = newest_report(home, GOLDEN, row.release_id) if row.model_release_id == before else None
        if stored is None or stored.body["golden"] != after.body["golden"]:
            continue
        one, other = (Measured.from_json(item.body["figures"]) for item in (stored, after))
        if one.query_ids != other.query_ids:
            continue
        mean, _, high = paired_bootstrap(one.ndcg, other.ndcg)
        return f"nDCG@10 fell by {-mean:.4f} on {len(one.ndcg)} golden questions." if high < 0 else ""
    return ""


def _abstains_more(home: Home, current: Release, before: str) -> str:
    """On the questions that people asked under either."""
    old, new = _abstentions(home, before), _abstentions(home, current.model_release_id)
    least = home.settings.learn_min_answers
    if min(old[1], new[1]) < least:
        return ""
    shares = [part / whole for part, whole in (old, new)]
    pooled = (old[0] + new[0]) / (old[1] + new[1])
    error = math.sqrt(pooled * (1 - pooled) * (1 / old[1] + 1 / new[1]))
    if error and (shares[1] - shares[0]) / error > _STANDARD_ERRORS:
        return f"Abstentions rose from {shares[0]:.3f} to {shares[1]:.3f} of the answers."
    return ""


def _readers_prefer_before(home: Home, current: Release, before: str) -> str:
    """By their clicks on answers that showed the sources of both."""
    live = compare_live(home, current.model_release_id, before)
    if not live.is_lost:
        return ""
    return f"Readers preferred the sources of the models before in {live.losses} of {live.losses + live.wins} answers."


def _abstentions(home: Home, model_release_id: str) -> tuple[int, int]:
    """Abstentions and all answers under these models."""
    joined = _answers.join(_releases, _answers.c.release_id == _releases.c.release_id)
    here = (_answers.c.tenant_id == home.tenant_id, _releases.c.model_release_id == model_release_id)
    ended = _answers.c.state.in_((State.COMPLETE, State.ABSTAINED))
    asked = select(_answers.c.state, func.count()).select_from(joined).where(*here, ended).group_by(_answers.c.state)
    with home.database.read() as connection:
        counts = {row[0]: row[1] for row in connection.execute(asked)}
    return counts.get(State.ABSTAINED, 0), sum(counts.values())


def _rolled_back_lately(home: Home) -> bool:
    events = tables.events
    here = (events.c.tenant_id == home.tenant_id, events.c.kind == "release", events.c.created_at > now() - _PAUSE)
    with home.database.read() as connection:
        bodies = connection.execute(select(events.c.body).where(*here)).scalars().all()
    return any(body["action"] == "rolled_back" and body["by"] == "watch" for body in bodies)
