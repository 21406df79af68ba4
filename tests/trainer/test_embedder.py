import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
from models import minilm_model

from aion_assets.core.index.embedding_model import find_embedding_model
from trainer.embedder import Embedder

TEXTS = [
    "O prazo de entrega é de dez dias úteis.",
    "curto",
    "The quick brown fox jumps over the lazy dog. " * 12,
    "Ciência de dados e aprendizado de máquina em português.",
]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(minilm_model())


@pytest.mark.filterwarnings("ignore")  # of sentence_transformers, which is the reference here
def test_vectors_are_those_of_sentence_transformers(embedder: Embedder) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(embedder.model.folder), device="cpu")
    expected = reference.encode(TEXTS, normalize_embeddings=True)
    assert np.einsum("nd,nd->n", embedder.embed(TEXTS), expected).min() > 0.9995


@pytest.mark.filterwarnings("ignore")
def test_a_model_that_pools_otherwise_is_read_by_sentence_transformers(tmp_path: Path, embedder: Embedder) -> None:
    from sentence_transformers import SentenceTransformer

    folder = shutil.copytree(embedder.model.folder, tmp_path / "first-token")
    pooling = folder / "1_Pooling" / "config.json"
    first_token = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    pooling.write_text(json.dumps(json.loads(pooling.read_text()) | first_token))
    other = Embedder(find_embedding_model(str(folder), tmp_path))
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, normalize_embeddings=True)
    assert np.einsum("nd,nd->n", other.embed(TEXTS), expected).min() > 0.9995
    assert np.einsum("nd,nd->n", other.embed(TEXTS), embedder.embed(TEXTS)).max() < 0.99


def test_full_precision_is_exact(embedder: Embedder) -> None:
    exact = Embedder(embedder.model, "fp32")
    assert np.einsum("nd,nd->n", embedder.embed(TEXTS), exact.embed(TEXTS)).min() > 0.9995


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux tells what of a file is in memory")
def test_the_weights_of_the_file_are_not_kept_beside_those_in_use(embedder: Embedder) -> None:
    file = embedder.model.folder / "model.safetensors"

    def in_memory() -> int:
        return sum(mapping.rss for mapping in psutil.Process().memory_maps() if mapping.path == str(file))

    before = in_memory()
    _another = Embedder(embedder.model)
    assert in_memory() - before < file.stat().st_size / 5


def test_vectors_have_length_one_and_keep_the_order(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert embedder.embed_query(text) @ vector > 0.999


def test_threads_may_share_an_embedder(embedder: Embedder) -> None:
    texts = [f"{text} {number}" for number, text in enumerate(TEXTS * 10)]
    with ThreadPoolExecutor(8) as threads:
        together = np.stack([*threads.map(embedder.embed_query, texts)])
    assert np.einsum("nd,nd->n", together, embedder.embed(texts)).min() > 0.999


def test_no_texts_give_no_vectors_and_an_empty_text_gives_one(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimension)
    assert np.isfinite(embedder.embed([""])).all()


def test_progress_reaches_the_number_of_texts(embedder: Embedder) -> None:
    seen: list[int] = []
    embedder.embed(TEXTS * 10, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(TEXTS) * 10


def test_texts_of_ever_new_lengths_leave_no_memory_behind(embedder: Embedder) -> None:
    embedder.embed(TEXTS)
    before = psutil.Process().memory_info().rss
    for words in range(1, 61):
        embedder.embed(["word " * words])
    assert psutil.Process().memory_info().rss - before < 80_000_000
