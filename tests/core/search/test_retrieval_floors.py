"""Figures that may rise and never silently fall, on a corpus pinned by its digest."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from aion_assets.core.learn.labelled import LabelledQuestion
from bench.evaluate import Bench, Figures, answer_figures, opened_set, retrieval_figures

FAQUAD_SHA256 = "37fd3c47e2519ca8c75da2f5d3ab3c1d6c68736df8720dadcad6c6b202ea58af"
QUESTIONS = 100

pytestmark = pytest.mark.timeout(900)  # a whole corpus is embedded


@pytest.fixture(scope="module", autouse=True)
def default_model() -> Iterator[None]:
    """The floors are those of the default."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AION_EMBED_MODEL", raising=False)
        yield


@pytest.fixture(scope="module")
def faquad(shared_data: Path) -> Path:
    folder = shared_data / "retrieval/faquad"
    assert hashlib.sha256((folder / "corpus.jsonl").read_bytes()).hexdigest() == FAQUAD_SHA256
    return folder


Opened = tuple[Bench, Sequence[LabelledQuestion]]


@pytest.fixture(scope="module")
def opened(faquad: Path, shared_data: Path) -> Iterator[Opened]:
    with opened_set(faquad, QUESTIONS, off_topic=shared_data / "retrieval/pira_validation") as opened:
        yield opened


@pytest.fixture(scope="module")
def retrieval(opened: Opened) -> Figures:
    return retrieval_figures(*opened)


def test_the_mix_is_no_worse_than_the_better_half_without_a_labelled_question(retrieval: Figures) -> None:
    better = max(float(retrieval["dense_ndcg@10"] or 0), float(retrieval["full_text_ndcg@10"] or 0))
    assert float(retrieval["ndcg@10"] or 0) >= better - 0.005
    assert float(retrieval["ndcg@10"] or 0) >= 0.964


def test_the_confidence_tells_absent_answers_from_present_ones(retrieval: Figures) -> None:
    assert float(retrieval["auroc_removed"] or 0) >= 0.80
    assert float(retrieval["auroc_off_topic"] or 0) >= 0.96


def test_answers_cite_the_right_passage(opened: Opened) -> None:
    figures = answer_figures(opened[0])
    assert float(figures["right_passage_cited"] or 0) >= 0.90
    assert float(figures["right_passage_offered_of_all"] or 0) >= 0.90
    assert float(figures["max_citations"] or 0) <= 3
    assert float(figures["token_f1"] or 0) >= 0.30
