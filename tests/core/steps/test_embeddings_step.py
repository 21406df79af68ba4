from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from workbench import Workbench, article, embedder, write_files

from aion_assets.core.index.embedder import Embedder
from aion_assets.core.lake.store import Lake
from aion_assets.core.steps import claims, embeddings
from aion_assets.core.steps.embeddings import embed_source


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that reached the real model, in order."""
    seen: list[str] = []
    real = type(embedder()).embed

    def embed(self: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
        seen.extend(texts)
        return real(self, texts)

    monkeypatch.setattr(type(embedder()), "embed", embed)
    return seen


def test_a_text_is_embedded_once_whatever_document_or_source_it_stands_in(
    workbench: Workbench, tmp_path: Path, embedded: list[str]
) -> None:
    first = workbench.add(write_files(tmp_path / "first", a_md=article("lavender", 6)))
    second = workbench.add(
        write_files(tmp_path / "second", a_md=article("lavender", 6) + "\n\n# Annex\n\nNothing else was ever said.")
    )
    workbench.to_chunks(first)
    report = workbench.embed(first)
    assert report.counts["embedded"] == len(embedded) == report.rows
    assert len(set(embedded)) == len(embedded)

    embedded.clear()
    workbench.to_chunks(second)
    report = workbench.embed(second)
    assert report.counts["cached"] >= 1 and report.counts["embedded"] == len(embedded) >= 1
    assert workbench.lake.count(workbench.embeddings_table) == len(
        {row["text_hash"] for row in workbench.rows("chunks", "text_hash")}
    )
    assert claims.every_chunk_is_embedded(workbench.lake, workbench.model.embedder_id).holds


def test_the_model_is_loaded_once_however_many_texts_there_are(
    workbench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("lavender", 12)))
    workbench.to_chunks(source)
    monkeypatch.setattr(embeddings, "_WINDOW", 1)
    loaded: list[Embedder] = []

    def load() -> Embedder:
        loaded.append(embedder())
        return loaded[-1]

    report = embed_source(workbench.source_run(source), workbench.model.embedder_id, load)
    assert len(loaded) == 1 < report.counts["embedded"]


def test_nothing_new_loads_no_model(workbench: Workbench, tmp_path: Path) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("lavender")))
    workbench.to_chunks(source)
    first = workbench.embed(source)

    def load() -> Embedder:
        raise AssertionError("loading a model costs seconds")

    again = embed_source(workbench.source_run(source), workbench.model.embedder_id, load)
    assert again.data_version == first.data_version and again.counts["embedded"] == 0


def test_a_killed_run_embeds_only_the_windows_that_are_left(
    workbench: Workbench, tmp_path: Path, embedded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("lavender", 40), b_md=article("bicycles", 40)))
    total = workbench.to_chunks(source)["chunks"].rows
    monkeypatch.setattr(embeddings, "_WINDOW", 4)
    real, calls = Lake.upsert, []

    def upsert(self: Lake, *arguments: object) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Lake, "upsert", upsert)
        workbench.embed(source)
    assert total > 12 and workbench.lake.count(workbench.embeddings_table) == 8
    assert not claims.every_chunk_is_embedded(workbench.lake, workbench.model.embedder_id).holds
    embedded.clear()
    report = workbench.embed(source)
    assert len(embedded) == report.counts["embedded"] == total - 8
    assert claims.every_chunk_is_embedded(workbench.lake, workbench.model.embedder_id).holds


def test_the_vectors_are_those_of_the_texts(workbench: Workbench, tmp_path: Path) -> None:
    source = workbench.add(write_files(tmp_path / "f", a_md=article("lavender", 5), b_md=article("tea", 5)))
    workbench.to_chunks(source)
    workbench.embed(source)
    vector_of = {
        row["text_hash"]: row["vector"] for row in workbench.rows(workbench.embeddings_table, "text_hash vector")
    }
    for row in workbench.rows("chunks", "text_hash embed_text"):
        assert np.dot(vector_of[row["text_hash"]], embedder().embed([row["embed_text"]])[0]) > 0.999
