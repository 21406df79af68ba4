"""Model releases: the built-in models, those that the learning loop made, and which of them a content release takes."""

import json
from dataclasses import replace

from sqlalchemy import insert, select, update

from aion_assets.core.answer.confidence import Calibration, builtin_calibration
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database, now
from aion_assets.core.errors import DamagedReleaseError, NoReleaseError
from aion_assets.core.home import Home
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.release.manifest import FORMAT, ModelManifest, id_of, written_by
from aion_assets.core.release.releases import Release, current_release
from aion_assets.core.search.ranker import Ranker, builtin_ranker

BUILTIN, LEARNED = "builtin", "learned"
_models = tables.model_releases


def builtin_models(model: EmbeddingModel) -> ModelManifest:
    """What AION comes with for this embedder."""
    return ModelManifest(
        passage_embedder={"id": model.embedder_id, "name": model.name, "dimension": model.dimension},
        query_encoder={"id": model.embedder_id, "adapter": "", "mode": "full", "scale": 1.0},
        ranker=builtin_ranker(model.embedder_id).to_json(),
        calibration=builtin_calibration(model.embedder_id).to_json(),
    )


def inherited_models(home: Home, model: EmbeddingModel) -> ModelManifest:
    """The models of the next content release: those of the current one if the loop made them for this embedder.

    Otherwise the built-in ones, so that a newer AION brings its own, with the generator that serves.
    """
    current = serving_release(home)
    if current is None:
        return builtin_models(model)
    same_embedder = current.models.passage_embedder["id"] == model.embedder_id
    learned = origin_of(home.database, current.model_release_id) == LEARNED
    if same_embedder and learned and is_readable(current.models):
        return current.models
    base, adapter = current.models.base_model, current.models.generator_adapter
    return replace(builtin_models(model), base_model=base, generator_adapter=adapter)


def is_readable(models: ModelManifest) -> bool:
    """Whether ranker and calibration can be made of what is stored."""
    try:
        Ranker.from_json(models.ranker)
        Calibration.from_json(models.calibration)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def store_candidate(home: Home, models: ModelManifest, run_id: str) -> str:
    """Keep models that were learned, under their digest, and return it. They serve only once they are released."""
    model_release_id = id_of(models.text)
    stamp = {"tenant_id": home.tenant_id, "format": FORMAT, "aion_version": written_by(), "run_id": run_id}
    this = _models.c.model_release_id == model_release_id
    with home.database.write() as connection:
        if connection.execute(select(_models.c.origin).where(this)).first() is None:
            values = {"model_release_id": model_release_id, "manifest": models.text, "created_at": now()}
            connection.execute(insert(_models).values(**values, **stamp, origin=LEARNED))
        else:
            connection.execute(update(_models).where(this).values(origin=LEARNED))
    return model_release_id


def origin_of(database: Database, model_release_id: str) -> str:
    """builtin or learned; "" where there is no such model release."""
    with database.read() as connection:
        asked = select(_models.c.origin).where(_models.c.model_release_id == model_release_id)
        return connection.execute(asked).scalar() or ""


def released_adapters(home: Home) -> set[str]:
    """Digests of the generator's adapters that some release named; candidates that were blocked named none."""
    served = _models.join(tables.releases, tables.releases.c.model_release_id == _models.c.model_release_id)
    asked = select(_models.c.manifest).distinct().select_from(served).where(_models.c.tenant_id == home.tenant_id)
    with home.database.read() as connection:
        manifests = connection.execute(asked).scalars().all()
    return {json.loads(text).get("generator_adapter", "") for text in manifests} - {""}


def serving_release(home: Home) -> Release | None:
    """None before the first release, and where what is stored of it is damaged: the next one is made as the first."""
    try:
        return current_release(home.database, home.tenant_id)
    except (NoReleaseError, DamagedReleaseError):
        return None
