"""The index of another embedder, built beside the one that serves: complete before anything reads it."""

import re
from dataclasses import replace

from sqlalchemy import select

from aion_assets.core.database import tables
from aion_assets.core.home import Home
from aion_assets.core.index.adapted_model import PREFIX, is_adapted, remove_adapted
from aion_assets.core.index.contents import index_version
from aion_assets.core.index.embedder import Embedder
from aion_assets.core.lake.tables import EMBEDDINGS, KNOWLEDGE, knowledge_name
from aion_assets.core.learn.trainings import active_training
from aion_assets.core.release.encoders import adaptation_of
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.releases import Release, current_release_id, list_releases, read_model_release
from aion_assets.core.release.retire import KEPT_RELEASES
from aion_assets.core.sources.store import list_sources
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.embeddings import embed_source
from aion_assets.core.steps.knowledge import build_index
from aion_assets.core.steps.report import ShowProgress, silent

# Names the version that a candidate is measured on.
_TAG = "shadow"
_TABLE = re.compile(rf"(?:{EMBEDDINGS}|{KNOWLEDGE})-({PREFIX}[0-9a-f]{{16}})-")


def build_shadow(home: Home, embedder: Embedder, run_id: str, show: ShowProgress = silent) -> None:
    """Embed every text of the home with this embedder, and build its index. What is there already costs nothing."""
    for state in list_sources(home.database, home.settings):
        embed_source(SourceRun(home, state.source, run_id, show), embedder.embedder_id, lambda: embedder)
    build_index(home, embedder.embedder_id, embedder.dimension, show)
    home.lake.set_tag(knowledge_name(embedder.embedder_id), _TAG)


def over_index_of(home: Home, release: Release, models: ModelManifest) -> Release:
    """The release as it would be with these models: over its own index, or over the shadow index of their embedder."""
    if models.passage_embedder["id"] == release.models.passage_embedder["id"]:
        return replace(release, models=models)
    table = knowledge_name(models.passage_embedder["id"])
    content = replace(release.content, index=index_version(home.lake, table))
    return replace(release, models=models, content=content, tag=_TAG)


def remove_unused(home: Home) -> list[str]:
    """Delete the adapted models that nothing may need again, and the tables of their vectors; the tables' names.

    A candidate that was blocked leaves some. Call it while no other one is made.
    """
    kept = kept_models(home)
    remove_adapted(home.settings.home / "models", kept)
    gone = [name for name in home.lake.names() if (found := _TABLE.match(name)) and found[1] not in kept]
    for name in gone:
        home.lake.drop(name)
    return gone


def kept_models(home: Home) -> frozenset[str]:
    """Names of the adapted models that serve, may have to serve again, or are a candidate, of every tenant."""
    ids = {item.candidate for item in [active_training(home)] if item is not None and item.candidate}
    for tenant_id in _tenants(home) | {home.tenant_id}:
        rows = list_releases(home.database, tenant_id)
        current = current_release_id(home.database, tenant_id)
        ids |= {*list(dict.fromkeys(row.model_release_id for row in rows))[: KEPT_RELEASES + 1]}
        ids |= {row.model_release_id for row in rows if row.release_id == current}
    names: set[str] = set()
    for model_release_id in ids:
        models = read_model_release(home.database, model_release_id)
        # A query adapter may work on passages of a model that was itself adapted.
        names.add(str(models.passage_embedder["name"]))
        if adaptation := adaptation_of(models):
            names.add(adaptation.name)
    return frozenset(name for name in names if is_adapted(name))


def _tenants(home: Home) -> set[str]:
    with home.database.read() as connection:
        return set(connection.execute(select(tables.releases.c.tenant_id).distinct()).scalars())
