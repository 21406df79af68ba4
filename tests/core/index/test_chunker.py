import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import minilm_model

from aion_assets.core.index.chunker import MAX_CHARS, OVERLAP_CHARS, chunk_document, surroundings
from aion_assets.core.index.embedding_model import EmbeddingModel
from aion_assets.core.records import Anchor

SENTENCES = [
    f"A frase de número {number} fala da manutenção preventiva dos equipamentos e termina aqui." for number in range(60)
]
TEXT = " ".join(SENTENCES)


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return minilm_model()


def test_every_chunk_is_read_whole_by_the_embedder(model: EmbeddingModel) -> None:
    for chunk in chunk_document(TEXT, "Manual de manutenção", [], model):
        assert model.count_tokens(chunk.embed_text) <= model.text_tokens
        assert len(chunk.text) <= MAX_CHARS


def test_chunks_end_at_sentence_ends_and_lose_nothing(model: EmbeddingModel) -> None:
    chunks = chunk_document(TEXT, "", [], model)
    assert len(chunks) > 1
    assert all(chunk.text.endswith(".") for chunk in chunks)
    assert all(chunk.text == TEXT[chunk.start : chunk.end] for chunk in chunks)
    assert all(any(sentence in chunk.text for chunk in chunks) for sentence in SENTENCES)


def test_neighbours_share_whole_sentences_up_to_the_overlap(model: EmbeddingModel) -> None:
    chunks = chunk_document(TEXT, "", [], model)
    for before, after in pairwise(chunks):
        shared = before.end - after.start
        assert 0 < shared <= OVERLAP_CHARS
        assert after.text.startswith("A frase de número")


def test_a_word_longer_than_a_chunk_is_cut_and_other_words_are_not(model: EmbeddingModel) -> None:
    text = "x" * 5000 + " " + "palavra " * 400
    chunks = chunk_document(text.strip(), "", [], model)
    assert sum("x" in chunk.text for chunk in chunks) > 1
    words = {word for chunk in chunks for word in chunk.text.split() if "x" not in word}
    assert words == {"palavra"}


def test_a_chunk_carries_the_page_and_heading_where_it_stands(model: EmbeddingModel) -> None:
    half = TEXT.index(SENTENCES[30])
    anchors = [Anchor(0, 1, "Início", "inicio"), Anchor(half, 2, "Fim", "fim")]
    chunks = chunk_document(TEXT, "Manual", anchors, model)
    assert (chunks[0].page, chunks[0].heading, chunks[0].fragment) == (1, "Início", "inicio")
    assert (chunks[-1].page, chunks[-1].heading, chunks[-1].fragment) == (2, "Fim", "fim")
    assert not any(chunk.start < half < chunk.end for chunk in chunks)
    assert chunks[-1].embed_text.startswith("Manual – Fim\n")


def test_sections_in_one_chunk_go_under_the_heading_that_most_of_it_belongs_to(model: EmbeddingModel) -> None:
    little, much = "Ainda sobre preços.", " ".join(SENTENCES[:3])
    for first, second, heading in ((little, much, "Trocas"), (much, little, "Preços")):
        anchors = [Anchor(0, 1, "Preços", "precos"), Anchor(len(first) + 2, 1, "Trocas", "trocas")]
        (merged,) = chunk_document(f"{first}\n\n{second}", "Loja", anchors, model)
        assert merged.heading == heading


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3000), st.text(max_size=200))
def test_no_text_whatever_breaks_the_chunker(text: str, title: str) -> None:
    model = minilm_model()
    chunks = chunk_document(text, title, [], model)
    covered = "".join(chunk.text for chunk in chunks)
    assert set(re.sub(r"\s", "", text)) <= set(covered)
    assert all(model.count_tokens(chunk.embed_text) <= model.text_tokens for chunk in chunks)


def test_surroundings_hold_the_chunk_and_never_cut_a_word() -> None:
    start = TEXT.index(SENTENCES[30])
    around = surroundings(TEXT, start, start + len(SENTENCES[30]))
    assert SENTENCES[30] in around
    assert set(around.split()) <= set(TEXT.split())
    assert surroundings("curto", 0, 5) == "curto"


def test_a_chunk_ends_before_an_article_and_one_that_begins_within_it_names_it(model: EmbeddingModel) -> None:
    rules = [f"§ {number}º {sentence}" for number, sentence in enumerate(SENTENCES[:20], start=1)]
    short = [f"Art. 1º {' '.join(SENTENCES[:5])}"]
    text = "\n".join([*short, "Art. 2º As regras são estas:", *rules, "Art. 3º Revoga-se o resto."])
    first, *others = chunk_document(text, "Lei", [Anchor(0, 0, "Capítulo I")], model)
    assert first.text == short[0] and first.heading == "Capítulo I"
    assert [chunk.text.startswith("Art. 2º") for chunk in others][:2] == [True, False]
    assert {chunk.heading for chunk in others if chunk.text.startswith("§")} == {"Capítulo I, Art. 2"}
    assert all(model.count_tokens(chunk.embed_text) <= model.text_tokens for chunk in others)
    title = "Regimento interno da associação dos produtores de leite e mel do vale do Córrego Fundo"
    named = chunk_document(text, title, [Anchor(0, 0, title)], model)
    assert f"{title}, Art. 2\n§" in "".join(chunk.embed_text for chunk in named)
    assert all(model.count_tokens(chunk.embed_text) <= model.text_tokens for chunk in named)
