"""The threshold that costs least, on what the golden questions say."""

import pytest

from aion_assets.core.learn.measured import Measured
from aion_assets.core.learn.threshold import Costs, propose_threshold


def _measured(present: list[float], absent: list[float]) -> Measured:
    return Measured(present=present * 10, absent=absent * 10)


def test_the_threshold_stands_where_wrong_answers_cost_more_than_silence() -> None:
    measured = _measured([0.9, 0.8, 0.6, 0.5], [0.55, 0.3, 0.2, 0.1])
    found = propose_threshold(measured, 0.7, Costs(fallback=0.38, local=0.0, wrong=1.0))
    assert found is not None and 0.3 < found.tau <= 0.5 and found.cases == 80
    # At .7 half of the answerable and all others stay silent: (.375 + .25) · .38.
    assert found.cost_now == pytest.approx(0.2375, abs=1e-4)
    # At .5 one in four of the others is answered wrongly: (.1875 · .38) + (.0625 · 1).
    assert found.cost == pytest.approx(0.1338, abs=1e-4)
    dear = propose_threshold(measured, 0.7, Costs(fallback=0.38, local=0.0, wrong=30.0))
    assert dear is not None and 0.55 < dear.tau <= 0.6, "what costs much is rather not said"


def test_what_cannot_be_bettered_stays_and_little_proposes_nothing() -> None:
    costs = Costs(0.38, 0.0, 1.0)
    stays = propose_threshold(_measured([0.9] * 4, [0.1] * 4), 0.62, costs)
    assert stays is not None and stays.tau == 0.62 and stays.cost == stays.cost_now
    assert propose_threshold(Measured(present=[0.9] * 29, absent=[0.1] * 90), 0.62, costs) is None
