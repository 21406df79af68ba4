from collections.abc import Iterator

import pytest
from learning_base import LearningBase, learning_base

from aion_assets.core.settings import Settings


@pytest.fixture
def base(settings: Settings) -> Iterator[LearningBase]:
    with learning_base(settings) as made:
        yield made
