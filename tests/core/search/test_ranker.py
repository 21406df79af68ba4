import numpy as np
import pytest
from passages import hit

from aion_assets.core.search.hits import Hit
from aion_assets.core.search.ranker import RANKING_FEATURES, Ranker, builtin_ranker, halves_only
from aion_assets.core.search.reading import READING_FEATURES, READING_SHARES, reading_score

NOTHING = (0.0,) * len(READING_FEATURES)
# As a release of 0.1 holds it, from before sections counted.
OLDER = {"dense_weight_pt": 0.4, "dense_weight_en": 0.6, "tuned_on": 0, "reading_weight": 0.2}


def _hits(dense: list[float], lexical: list[float], reads: list[tuple[float, ...]] | None = None) -> list[Hit]:
    made = [hit(str(number)) for number in range(len(dense))]
    for one, cosine, score, read in zip(made, dense, lexical, reads or [NOTHING] * len(made), strict=True):
        one.dense, one.lexical, one.read = cosine, score, read
    return made


def _scores(ranker: Ranker, hits: list[Hit], language: str = "pt") -> list[float]:
    return ranker.scores(ranker.features(hits, language), language).tolist()


def test_both_halves_count_over_the_best_of_the_question() -> None:
    mixed = _scores(halves_only(0.3, 0.0), _hits([0.8, 0.4], [5.0, 10.0]))
    assert mixed == pytest.approx([0.3 * 1 + 0.7 * 0.5, 0.3 * 0.5 + 0.7 * 1])


def test_a_half_that_found_nothing_is_silent() -> None:
    assert _scores(halves_only(0.3, 0.0), _hits([0.8, 0.4], [0, 0])) == pytest.approx([0.3, 0.15])
    assert _scores(halves_only(0.3, 0.0), _hits([-0.1, -0.4], [0, 0])) == pytest.approx([0, 0])
    assert _scores(halves_only(0.3, 0.0), []) == []


def test_above_a_floor_the_differences_of_cosines_count_whole() -> None:
    assert _scores(halves_only(1.0, 0.7), _hits([0.91, 0.85, 0.6], [0, 0, 0])) == pytest.approx([0.7, 0.5, 0.0])


def test_scores_are_shares_of_one_and_order_the_hits() -> None:
    everything = tuple(1.0 for _ in READING_FEATURES)
    hits = _hits([0.2, 0.9], [1.0, 9.0], [NOTHING, everything])
    ranked = builtin_ranker("all-MiniLM-L6-v2@abc").ranked(hits, "pt")
    assert [one.chunk_id for one in ranked] == ["1", "0"]
    assert ranked[0].score == pytest.approx(1.0) and 0 < ranked[1].score < 1


def test_english_questions_trust_an_english_embedder_more() -> None:
    shares = builtin_ranker("all-MiniLM-L6-v2@abc").shares
    dense = RANKING_FEATURES.index("dense")
    assert shares("en")[dense] > shares("pt")[dense] == shares("es")[dense]


def test_words_of_a_passage_in_another_language_may_count_less() -> None:
    own, foreign = (tuple(float(name == "language") * same for name in READING_FEATURES) for same in (1, 0))
    ranker = Ranker({"pt": {"own_full_text": 1.0}, "en": {}})
    assert _scores(ranker, _hits([0.8, 0.8], [5.0, 10.0], [own, foreign])) == pytest.approx([0.5, 0])


def test_a_base_that_hardly_holds_the_language_of_the_question_has_weights_of_its_own() -> None:
    own, foreign = (tuple(float(name == "language") * same for name in READING_FEATURES) for same in (1, 0))
    ranker = Ranker({"pt": {"full_text": 1.0}, "en": {}, "crossed": {"dense": 1.0}})
    apart = _hits([0.8, 0.4, 0.4], [5.0, 10.0, 0.0], [foreign] * 3)
    assert [one.chunk_id for one in ranker.ranked(apart, "pt")] == ["0", "1", "2"]
    assert ranker.ranked(apart[:2] + _hits([0.1], [0.0], [own]), "pt")[0].chunk_id == "1"
    older = Ranker({"pt": {"full_text": 1.0}, "en": {}})
    assert [one.chunk_id for one in older.ranked(apart, "pt")] == ["1", "0", "2"]


def test_e5_has_a_ranker_of_its_own() -> None:
    assert builtin_ranker("multilingual-e5-small-enpt@abc").dense_floor > 0
    assert builtin_ranker("all-MiniLM-L6-v2@abc").dense_floor == 0


def test_a_ranker_survives_its_json_form() -> None:
    ranker = Ranker({"pt": {"dense": 0.5, "pairs": 0.5}, "en": {"full_text": 1.0}}, 0.7, {"questions": 40})
    assert Ranker.from_json(ranker.to_json()) == ranker


def test_a_feature_that_this_aion_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="moon"):
        Ranker.from_json({"weights": {"pt": {"moon": 1.0}, "en": {}}, "dense_floor": 0.0, "fitted_on": {}})


def test_a_release_from_before_ranks_as_it_did() -> None:
    """Its mix was (1 − reading) · (w · dense + (1 − w) · full text) + reading · reading."""
    ranker = Ranker.from_json(OLDER)
    read = (0.5, 0.25, 1.0, 1.0)
    hits = _hits([0.8, 0.4], [5.0, 10.0], [read, NOTHING])
    expected = [0.8 * (0.4 * 1 + 0.6 * 0.5) + 0.2 * reading_score(read), 0.8 * (0.4 * 0.5 + 0.6 * 1)]
    assert _scores(ranker, hits) == pytest.approx(expected)
    assert ranker.shares("en")[RANKING_FEATURES.index("sections")] == 0


def test_a_release_from_before_gives_sections_their_share() -> None:
    ranker = Ranker.from_json(OLDER | {"sections_weight": 0.5, "dense_floor": 0.7, "dense_weight_pt": 1.0})
    page = _hits([0.85, 0.79], [0, 0])
    other = hit("other")
    other.dense, other.read = 0.88, NOTHING
    for number, one in enumerate(page):
        one.doc_id, one.heading = "page", str(number)
    passages = np.array([0.8 * 0.5, 0.8 * 0.3, 0.8 * 0.6])
    documents = np.array([0.8 * 0.65, 0.8 * 0.65, 0.8 * 0.6]) / (0.8 * 0.65)
    assert _scores(ranker, [*page, other]) == pytest.approx(0.5 * passages + 0.5 * documents)


def test_the_reading_is_one_figure_of_its_features() -> None:
    assert sum(READING_SHARES.values()) == pytest.approx(1)
    assert reading_score(tuple(1.0 for _ in READING_FEATURES)) == pytest.approx(1)
