"""The ranker that served before the one that serves: beside it in some answers, until readers have decided."""

import logging
import random
import threading
import time
from dataclasses import dataclass

from aion_assets.core.errors import AionError
from aion_assets.core.home import Home
from aion_assets.core.learn.live_comparison import compare_live
from aion_assets.core.learn.regression import served_before
from aion_assets.core.release.models import LEARNED, origin_of
from aion_assets.core.release.releases import read_model_release, read_release
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.search.retriever import Retriever
from aion_serving.answering.served_release import OpenedRelease

# So often it is asked whether the comparison has been decided.
_LOOK_EVERY_S = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    release_id: str
    until: float
    model_release_id: str = ""
    ranker: Ranker | None = None


class Rivals:
    """Safe to share between threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._known = _Known("", 0.0)
        self._looking = threading.Lock()

    def drawn(self, release: OpenedRelease, share: float) -> tuple[str, Retriever] | None:
        """Model release and retriever of the rival in this share of the calls, while there is one."""
        if not share or random.random() >= share:
            return None
        known = self._known
        if known.release_id != release.release_id or time.monotonic() >= known.until:
            if not self._looking.acquire(blocking=known.release_id != release.release_id):
                return None  # another thread looks
            try:
                known = self._known = self._look(release)
            finally:
                self._looking.release()
        if known.ranker is None:
            return None
        return known.model_release_id, release.retriever.with_ranker(known.ranker)

    def _look(self, release: OpenedRelease) -> _Known:
        """Only an order over the same vectors can be compared in one index."""
        nobody = _Known(release.release_id, time.monotonic() + _LOOK_EVERY_S)
        try:
            current = read_release(self._home.database, release.release_id).model_release_id
            rival = served_before(self._home, current)
            if not rival or origin_of(self._home.database, current) != LEARNED:
                return nobody
            before = read_model_release(self._home.database, rival)
            if compare_live(self._home, current, rival).is_decided:
                return nobody
        except AionError as error:
            _log.warning("No rankers are compared: %s", error)
            return nobody
        same_vectors = (before.passage_embedder, before.query_encoder) == (
            release.models.passage_embedder,
            release.models.query_encoder,
        )
        if not same_vectors or before.ranker == release.models.ranker:
            return nobody
        return _Known(release.release_id, nobody.until, rival, Ranker.from_json(before.ranker))
