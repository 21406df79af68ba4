"""Answers that people judged, as cases for the calibration: a thumb up says that the answer was there."""

from collections import Counter
from typing import Any

from sqlalchemy import select

from aion_assets.core.answer.extractive import CURATED
from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.learn.calibration import Case
from aion_assets.core.learn.pairs import Barred, plain
from aion_assets.core.record.answers import State
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.releases import Release, list_releases, read_model_release

_answers, _feedback = tables.answers, tables.feedback


def judged_cases(home: Home, release: Release) -> list[Case]:
    """Their evidence was recorded with them. It counts only where it was gathered by the same embedder and ranker, and
    is all that the calibration of the release reads.
    """
    texts = Barred.of_home(home).texts
    stands = (_feedback.c.tenant_id == home.tenant_id, _feedback.c.withdrawn_at.is_(None))
    own = _answers.c.engine != CURATED  # what a person wrote says nothing of what was found
    columns = (_answers.c.answer_id, _answers.c.question, _answers.c.language, _answers.c.features)
    judged = select(*columns, _answers.c.release_id, _feedback.c.thumb).join_from(
        _answers, _feedback, _answers.c.answer_id == _feedback.c.answer_id
    )
    with home.database.read() as connection:
        rows = connection.execute(judged.where(*stands, _answers.c.state == State.COMPLETE, own)).all()
    alike, read = _alike(home, release), {*release.models.calibration["features"]}
    thumbs: Counter[str] = Counter()
    found: dict[str, Any] = {}
    for row in rows:
        if row.release_id in alike and read <= row.features.keys() and plain(row.question) not in texts:
            thumbs[row.answer_id] += row.thumb
            found[row.answer_id] = row
    return [
        Case(found[key].features, found[key].language, thumbs[key] > 0) for key in sorted(found) if thumbs[key] != 0
    ]


def _alike(home: Home, release: Release) -> set[str]:
    """Releases that gather evidence as this one does."""
    wanted = _gathers(release.models)
    alike: dict[str, bool] = {}
    rows = list_releases(home.database, home.tenant_id)
    for row in rows:
        if row.model_release_id not in alike:
            models = read_model_release(home.database, row.model_release_id)
            alike[row.model_release_id] = _gathers(models) == wanted
    return {row.release_id for row in rows if alike[row.model_release_id]}


def _gathers(models: ModelManifest) -> tuple[Any, ...]:
    return models.passage_embedder["id"], models.query_encoder, models.ranker
