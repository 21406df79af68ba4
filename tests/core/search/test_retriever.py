import json
from pathlib import Path

import numpy as np
import pytest
from passages import index, row
from workbench import embedder

from aion_assets.core.index.lookup import FullTextIndex
from aion_assets.core.language.question import Question
from aion_assets.core.search.features import FEATURES
from aion_assets.core.search.ranker import builtin_ranker
from aion_assets.core.search.retriever import SELECTED, Retriever

TEXTS = [
    "O prazo de matrícula termina em 15 de março.",
    "A biblioteca abre das oito às vinte horas nos dias úteis.",
    "O restaurante universitário serve almoço e jantar.",
    "Quem perde o prazo pode pedir matrícula tardia na secretaria.",
]


@pytest.fixture(scope="module", params=["from disk", "in memory"])
def retriever(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    texts = [*TEXTS, "The library lends laptops to students for one week."]
    vectors = embedder().embed(texts)
    rows = [
        row(number, text, vectors[number], lang="en" if number == 4 else "pt", source_id=f"source-{number // 2}")
        for number, text in enumerate(texts)
    ]
    rows.append(row(9, TEXTS[0], vectors[0], tenant_id="another"))
    table = index(tmp_path_factory.mktemp("lake"), rows, vectors.shape[1])
    made = Retriever(table, embedder(), "default", builtin_ranker("all-MiniLM-L6-v2"))
    if request.param == "in memory":
        made.keep_in_memory()
    return made


def test_the_passage_that_answers_comes_first(retriever: Retriever) -> None:
    hits = retriever.search("Até quando vai a matrícula?", 3)
    assert hits[0].text == TEXTS[0]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert retriever.search("Can students borrow laptops?", 1)[0].doc_id == "doc-4"


def test_another_tenant_sees_nothing_of_ours_and_we_nothing_of_theirs(retriever: Retriever) -> None:
    assert {hit.doc_id for hit in retriever.search("prazo de matrícula", 10)} == {f"doc-{n}" for n in range(5)}


def test_hidden_documents_and_sources_are_never_found(retriever: Retriever) -> None:
    question = "Qual é o prazo de matrícula?"
    assert "doc-0" not in {hit.doc_id for hit in retriever.search(question, 10, hidden_docs=["doc-0"])}
    left = retriever.search(question, 10, hidden_sources=["source-0", "source-2"])
    assert {hit.doc_id for hit in left} == {"doc-2", "doc-3"}
    thousands = [f"doc-{number}" for number in range(5_000)]
    assert retriever.search(question, 10, hidden_docs=thousands) == []
    assert retriever.retrieve(question, hidden_docs=thousands).hits == []


def test_hidden_documents_that_fill_the_first_ranks_leave_room_for_the_rest(tmp_path: Path) -> None:
    vector = embedder().embed_query("matrícula")
    rows = [row(number, "prazo de matrícula", vector) for number in range(200)]
    rows.append(row(999, "matrícula na secretaria, com muitos outros papéis e carimbos", vector))
    retriever = Retriever(index(tmp_path, rows, len(vector)), embedder(), "default", builtin_ranker("all-MiniLM-L6-v2"))
    for _ in ("from disk", "in memory"):
        hits = retriever.search("prazo de matrícula", 3, hidden_docs=[f"doc-{number}" for number in range(200)])
        assert [hit.doc_id for hit in hits] == ["doc-999"]
        retriever.keep_in_memory()


def test_a_long_document_does_not_keep_others_from_being_found(tmp_path: Path) -> None:
    vector = embedder().embed_query("matrícula")
    rows = [row(number, f"prazo de matrícula {number}", vector, doc_id="long") for number in range(150)]
    rows += [row(number, "matrícula fora do prazo, com carimbos", vector) for number in range(200, 203)]
    retriever = Retriever(index(tmp_path, rows, len(vector)), embedder(), "default", builtin_ranker("all-MiniLM-L6-v2"))
    found = {hit.doc_id for hit in retriever.search("prazo de matrícula", 4)}
    assert found == {"long", "doc-200", "doc-201", "doc-202"}


def test_the_print_view_of_a_book_is_not_listed_beside_its_chapter(tmp_path: Path) -> None:
    texts = ["O prazo de matrícula termina em 15 de março.", "A biblioteca abre no prazo da matrícula."]
    vectors = embedder().embed(texts)
    rows = [row(number, text, vectors[number]) for number, text in enumerate(texts)]
    rows += [
        row(number + 10, text, vectors[number], doc_id="print", start=50_000 + 100 * number)
        for number, text in enumerate(texts)
    ]
    retriever = Retriever(
        index(tmp_path, rows, vectors.shape[1]), embedder(), "default", builtin_ranker("all-MiniLM-L6-v2")
    )
    assert [hit.doc_id for hit in retriever.search("prazo de matrícula", 5)] == ["doc-0", "doc-1"]


def test_an_answer_is_sought_in_other_documents_beside_the_page_on_the_subject(tmp_path: Path) -> None:
    vector = embedder().embed_query("matrícula")
    rows = [
        row(number, f"Prazo de matrícula {number}.", vector, doc_id="page", heading=f"Seção {number}")
        for number in range(20)
    ]
    rows.append(row(99, "O prazo de uma matrícula tardia é curto.", vector))
    retriever = Retriever(index(tmp_path, rows, len(vector)), embedder(), "default", builtin_ranker("all-MiniLM-L6-v2"))
    found = [hit.doc_id for hit in retriever.retrieve("Qual é o prazo de matrícula?").hits]
    assert "doc-99" in found


def test_a_single_document_fills_all_the_places(tmp_path: Path) -> None:
    vector = embedder().embed_query("matrícula")
    rows = [row(number, f"Prazo de matrícula {number}.", vector, doc_id="handbook") for number in range(20)]
    retriever = Retriever(index(tmp_path, rows, len(vector)), embedder(), "default", builtin_ranker("all-MiniLM-L6-v2"))
    assert len(retriever.retrieve("Qual é o prazo de matrícula?").hits) == SELECTED


def test_a_retrieval_carries_its_passages_and_the_evidence(retriever: Retriever) -> None:
    retrieval = retriever.retrieve("Qual é o prazo de matrícula?")
    assert retrieval.language == "pt"
    assert 0 < len(retrieval.hits) <= SELECTED
    assert set(retrieval.features) == set(FEATURES)
    cosines = [float(hit.vector @ retrieval.query_vector) for hit in retrieval.hits]
    assert [hit.dense for hit in retrieval.hits] == pytest.approx(cosines)
    assert retrieval.raw_confidence == pytest.approx((np.mean(cosines) + 1) / 2)


def test_features_are_comparable_numbers(retriever: Retriever) -> None:
    strong = retriever.retrieve("Qual é o prazo de matrícula?").features
    weak = retriever.retrieve("Qual é a capital da Mongólia?").features
    assert strong["passage_coverage"] > 0.9 > 0.3 > weak["passage_coverage"]
    assert strong["sentence_coverage"] > weak["sentence_coverage"]
    assert strong["missing_share"] < weak["missing_share"] <= 1


@pytest.mark.parametrize(
    "question", ["", "   \n", "\x00", "o", '"', "a AND (b OR", "*", "-- ; DROP TABLE x", "x" * 10_000]
)
def test_no_question_breaks_a_search(retriever: Retriever, question: str) -> None:
    assert len(retriever.search(question, 3)) <= 3
    assert len(retriever.retrieve(question).hits) <= SELECTED


def test_nothing_is_found_for_nothing(retriever: Retriever) -> None:
    assert retriever.search("  ", 3) == []
    retrieval = retriever.retrieve("")
    assert (retrieval.hits, retrieval.features, retrieval.raw_confidence) == ([], {}, 0.0)


def test_naughty_strings_are_only_words(tmp_path: Path, shared_data: Path) -> None:
    vector = np.zeros(16, dtype=np.float32)
    table = index(tmp_path, [row(0, "Uma palavra qualquer.", vector)], 16)
    for string in json.loads((shared_data / "bad/blns/blns.json").read_text("utf-8")):
        found = FullTextIndex(table).matching(Question.read(string), 2, ["chunk_id"])
        assert found.num_rows <= 1


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    table = index(tmp_path, [], embedder().dimension)
    retriever = Retriever(table, embedder(), "default", builtin_ranker("all-MiniLM-L6-v2"))
    assert retriever.search("prazo", 3) == []
    retriever.keep_in_memory()
    assert retriever.search("prazo", 3) == []


def test_a_question_without_a_language_has_that_of_the_base(tmp_path: Path) -> None:
    texts = ["The network password is on the door.", "The library lends laptops to students for one week."]
    vectors = embedder().embed(texts)
    rows = [row(number, text, vectors[number], lang="en") for number, text in enumerate(texts)]
    english = Retriever(
        index(tmp_path, rows, vectors.shape[1]), embedder(), "default", builtin_ranker("all-MiniLM-L6-v2")
    )
    assert english.retrieve("network password").language == "en"
    assert english.retrieve("qual é a senha da rede?").language == "pt"
