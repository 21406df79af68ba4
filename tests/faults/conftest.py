"""A home whose pipeline runs in processes of their own, which may be killed."""

import os
import random
from collections.abc import Iterator

import pytest
from loopback import CountingSite, counting_site
from victim import Victim, fill
from workbench import Workbench

from aion_assets.core.settings import Settings


@pytest.fixture
def site() -> Iterator[CountingSite]:
    with counting_site() as made:
        fill(made)
        yield made


@pytest.fixture
def victim(settings: Settings, site: CountingSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Victim]:
    monkeypatch.setenv("AION_CRAWL_DELAY_S", "0")
    made = Victim(Workbench(settings), site)
    yield made
    made.bench.database.engine.dispose()


@pytest.fixture
def dice() -> random.Random:
    """Seeded, so that a failure can be repeated: AION_TEST_SEED."""
    return random.Random(int(os.environ.get("AION_TEST_SEED", "7")))
