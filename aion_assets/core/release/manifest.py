"""Manifests: what a release is made of. It has one version of the index, and the models that search it and answer.

A manifest is stored as canonical text with its SHA-256 as id. Neither is ever recomputed from these classes: a text
that another AION wrote keeps its id, and an unknown field or format is an error that names it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import version
from typing import Any

from aion_assets.core.errors import DamagedReleaseError, ReleaseError

# 1 (until 0.1.0): index and models in one manifest. 2: a release names its model release. 3: the ranker
# is a mix of features.
FORMAT = 3
PROMPT_VERSION = "extractive-1"


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """Everything that an answer depends on, except the index.

    `passage_embedder` is {id, name, dimension}. `query_encoder` is {id, adapter, mode, scale}: the base with its
    adapter, which is used for passages, too ("full"), or for questions only ("query"). `ranker` and `calibration` are
    the JSON forms of `Ranker` and `Calibration`. Base model and adapter are "" while answers are extractive.
    """

    passage_embedder: dict[str, Any]
    query_encoder: dict[str, Any]
    ranker: dict[str, Any]
    calibration: dict[str, Any]
    base_model: str = ""
    generator_adapter: str = ""
    prompt: str = PROMPT_VERSION
    policy: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return canonical(asdict(self))


@dataclass(frozen=True, slots=True)
class ContentManifest:
    """`index` is {table, version, rows, data_version}. `report_id` names the report on it, "" without one."""

    index: dict[str, Any]
    model_release_id: str
    report_id: str = ""

    @property
    def text(self) -> str:
        return canonical(asdict(self))


def canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def id_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def written_by() -> str:
    """The version of this AION."""
    return version("aion")


def read_models(text: str, stored_format: int, aion_version: str) -> ModelManifest:
    """Raises ReleaseError: its format or one of its fields is unknown to this AION."""
    return ModelManifest(**_fields(ModelManifest, _parsed(text), stored_format, aion_version))


def read_content(text: str, stored_format: int, aion_version: str, model_release_id: str) -> ContentManifest:
    """Raises ReleaseError: its format or one of its fields is unknown to this AION."""
    data = _parsed(text)
    if stored_format == 1:
        return ContentManifest(index=data["index"], model_release_id=model_release_id)
    return ContentManifest(**_fields(ContentManifest, data, stored_format, aion_version))


def _parsed(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise DamagedReleaseError("The manifest of a release is damaged.", "Run 'aion run' to make a new release.")
    return data


def _fields(
    kind: type[ModelManifest] | type[ContentManifest], data: dict[str, Any], stored_format: int, aion_version: str
) -> dict[str, Any]:
    next_step = f"Install AION {aion_version} or newer, which wrote it; the releases of before can be rolled back to."
    if stored_format > FORMAT:
        raise ReleaseError(
            f"The release is written in format {stored_format}; this AION reads formats up to {FORMAT}.", next_step
        )
    unknown = sorted(data.keys() - {item.name for item in fields(kind)})
    if unknown:
        raise ReleaseError(f"The release has what this AION does not know: {', '.join(unknown)}.", next_step)
    return data
