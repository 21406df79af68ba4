"""The quality score and near duplicates."""

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from aion_assets.core.curate.near_duplicates import is_near_duplicate, near_duplicates, simhash
from aion_assets.core.curate.quality import quality

PROSE = (
    "A biblioteca municipal abre de segunda a sexta, das nove às dezoito horas, e aos sábados pela manhã. Para retirar "
    "livros é preciso apresentar documento com foto e comprovante de endereço; o prazo é de quinze dias, que se renova "
    "uma vez pela internet. Obras raras e jornais são consultados apenas no local, com luvas e sob supervisão. Quem "
    "devolve com atraso fica suspenso pelo mesmo número de dias. Doações são bem-vindas, mas passam por triagem."
)


def test_quality_lies_between_0_and_1_and_grows_with_length() -> None:
    assert quality("") == 0
    assert 0.6 < quality(PROSE) < 0.75
    long = " ".join(f"{PROSE} {number}" for number in range(30))
    assert quality(PROSE) < quality(long) <= 1
    assert quality(" ".join(map(str, range(10_000)))) <= 1


@pytest.mark.parametrize(
    "text", ["_" * 5000, "compre agora! " * 1000, "Início", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=" * 20]
)
def test_rulers_repetition_menus_and_encoded_data_score_low(text: str) -> None:
    assert quality(text) < 0.4 < quality(PROSE)


def test_length_counts_at_most_three_tenths() -> None:
    assert quality("a" * 10_000) == pytest.approx(0.3)
    assert quality("a" * 5_000) == pytest.approx(0.15)


def test_real_passages_score_higher_than_their_letters_in_a_row(shared_data: Path) -> None:
    lines = (shared_data / "retrieval" / "faquad" / "corpus.jsonl").read_text().splitlines()
    scores = [quality(json.loads(line)["text"]) for line in lines]
    assert min(scores) > 0.5


def test_case_spacing_and_punctuation_do_not_matter_to_the_fingerprint() -> None:
    assert simhash(PROSE) == simhash(PROSE.upper().replace(". ", " -\n\n"))
    assert simhash("") == simhash("  ") and 0 <= simhash(PROSE) < 2**64


def test_an_edited_page_is_near_and_another_page_is_not(shared_data: Path) -> None:
    lines = (shared_data / "retrieval" / "faquad" / "corpus.jsonl").read_text().splitlines()
    texts = list(dict.fromkeys(json.loads(line)["text"] for line in lines))
    pages = [" ".join(texts[start : start + 20]) for start in range(0, 240, 20)]
    for page, other in pairwise(pages):
        words = page.split()
        words[len(words) // 2 : len(words) // 2 + 5] = "isto foi trocado hoje".split()
        assert is_near_duplicate(simhash(page), simhash(" ".join(words)))
        assert not is_near_duplicate(simhash(page), simhash(other))


def test_near_duplicates_point_to_the_earliest_that_is_none_itself() -> None:
    base = random.Random(0).getrandbits(64)
    fingerprints = {"a": base, "far": base ^ (2**64 - 1), "b": base ^ 0b111111, "c": base, "d": base ^ (2**20 - 1)}
    assert near_duplicates(fingerprints.items()) == {"b": "a", "c": "a"}


def test_bands_find_what_comparing_each_with_each_finds() -> None:
    rng = random.Random(1)
    fingerprints: dict[str, int] = {}
    for number in range(300):
        fingerprints[f"{number}"] = original = rng.getrandbits(64)
        flips = rng.sample(range(64), rng.randrange(10))
        fingerprints[f"{number} edited"] = original ^ sum(1 << bit for bit in flips)
    expected: dict[str, str] = {}
    for document, fingerprint in fingerprints.items():
        earlier = (key for key in fingerprints if key not in expected)
        near = next((key for key in earlier if is_near_duplicate(fingerprints[key], fingerprint)), document)
        if near != document:
            expected[document] = near
    assert near_duplicates(fingerprints.items()) == expected and len(expected) > 150
