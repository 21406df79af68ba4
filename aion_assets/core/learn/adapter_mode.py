"""What the next retriever adapter works on: questions alone as long as that may gain something, then passages, too."""

from collections.abc import Iterable

from aion_assets.core.home import Home
from aion_assets.core.learn.trainings import RELEASED, RETRIEVER_ADAPTER, Training, last_trainings
from aion_assets.core.release.encoders import FULL, QUERY

# After so many adapters of questions without gain passages are embedded anew, which costs much more.
_QUERY_TRIES = 2
_LOOKED_BACK = 50


def adapter_mode(home: Home) -> str:
    """QUERY or FULL: what AION_RETRIEVER_ADAPTER_MODE says, or with auto what was tried before."""
    chosen = home.settings.retriever_adapter_mode
    return _by_tries(last_trainings(home, _LOOKED_BACK)) if chosen == "auto" else chosen


def _by_tries(trainings: Iterable[Training]) -> str:
    """`trainings`: the newest first. Only what was tried since an adapter was released last counts."""
    in_vain = 0
    for item in trainings:
        if item.learner != RETRIEVER_ADAPTER:
            continue
        if item.outcome == RELEASED:
            break
        in_vain += item.gained_nothing and item.figures.get("mode") == QUERY
    return FULL if in_vain >= _QUERY_TRIES else QUERY
