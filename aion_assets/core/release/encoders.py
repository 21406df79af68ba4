"""Which embedding models a release embeds passages and questions with, and which one the next index is made with."""

from dataclasses import dataclass

from aion_assets.core.home import Home
from aion_assets.core.index.adapted_model import Adaptation, is_adapted, root_of
from aion_assets.core.index.embedding_model import EmbeddingModel, find_embedding_model, find_recorded_model
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.release.models import serving_release

QUERY, FULL = "query", "full"


@dataclass(frozen=True, slots=True)
class Encoders:
    """They are the same model unless an adapter works on questions only."""

    passages: EmbeddingModel
    questions: EmbeddingModel

    @property
    def key(self) -> tuple[str, str]:
        return self.passages.embedder_id, self.questions.embedder_id


def encoders_of(home: Home, models: ModelManifest) -> Encoders:
    """Those that the models name, whatever the settings say by now. Raises EmbedderError: one of them is not here."""
    settings = home.settings
    passages = find_recorded_model(models.passage_embedder, settings.embed_model, settings.home)
    adaptation = adaptation_of(models)
    if adaptation is None or models.query_encoder["mode"] != QUERY:
        return Encoders(passages, passages)
    return Encoders(passages, find_embedding_model(adaptation.name, settings.home))


def adaptation_of(models: ModelManifest) -> Adaptation | None:
    """None where nothing is adapted."""
    encoder = models.query_encoder
    if not encoder["adapter"]:
        return None
    return Adaptation(encoder["id"], encoder["adapter"], float(encoder["scale"]))


def embedder_in_use(home: Home) -> EmbeddingModel:
    """The model with which passages are embedded from now on: that of the settings, or the one that was adapted from it
    where such a one serves. Raises EmbedderError: it is not here.
    """
    settings = home.settings
    chosen = find_embedding_model(settings.embed_model, settings.home)
    current = serving_release(home)
    name = str(current.models.passage_embedder["name"]) if current else ""
    if is_adapted(name) and root_of(name, settings.home / "models") == chosen.embedder_id:
        return find_embedding_model(name, settings.home)
    return chosen
