"""Below an answer stand questions that its neighbours answer, and the actions of the organisation."""

from dataclasses import replace

import numpy as np
import pytest
from passages import hit

from aion_assets.core.answer.suggestions import ACTION, MAX_FOLLOW_UPS, Suggestion, follow_ups, suggest
from aion_assets.core.errors import SettingsError
from aion_assets.core.language.question import Question
from aion_assets.core.records import Citation
from aion_assets.core.search.hits import Hit, Retrieval
from aion_assets.core.search.weights import TermWeights
from aion_assets.core.setting_values import Action
from aion_assets.core.settings import load_settings


def _hit(heading: str, *, score: float = 0.8, lang: str = "pt") -> Hit:
    return replace(hit(heading, score=score), heading=f"Política de férias > {heading}", lang=lang)


def _retrieval(*hits: Hit) -> Retrieval:
    question = Question.read("Com quantos dias de antecedência peço férias?")
    return Retrieval(question, list(hits), 0.8, {}, np.zeros(8, dtype=np.float32), TermWeights({}, 1, "pt"))


def _cited(one: Hit) -> list[Citation]:
    return [Citation(number=1, quote="…", passage=one.passage)]


def test_headings_near_the_answer_become_questions_in_their_order() -> None:
    best = _hit("Prazo de aviso")
    found = _retrieval(best, _hit("Como dividir em períodos"), _hit("Quem aprova o pedido", score=0.6))
    assert follow_ups(found, _cited(best)) == ["Como dividir em períodos", "Quem aprova o pedido"]


@pytest.mark.parametrize(
    "other",
    [
        _hit("Aviso do prazo"),
        _hit("Antecedência em dias"),
        _hit("Notas"),
        _hit("Regras do estacionamento central", score=0.39),
        _hit("How to split holidays", lang="en"),
        _hit("Como dividir em períodos " * 5),
    ],
    ids=["cited section", "the question itself", "too short", "far below the best", "other language", "a sentence"],
)
def test_a_heading_that_would_lead_nowhere_new_is_not_offered(other: Hit) -> None:
    best = _hit("Prazo de aviso")
    assert follow_ups(_retrieval(best, other), _cited(best)) == []


def test_no_heading_is_offered_twice_and_few_are_enough() -> None:
    best = _hit("Prazo de aviso")
    many = [_hit(f"Como pedir a licença {name}") for name in ("médica", "médica", "paterna", "materna", "sindical")]
    found = follow_ups(_retrieval(best, *many), _cited(best))
    assert len(found) == len(set(found)) == MAX_FOLLOW_UPS


def test_an_abstention_offers_the_actions_alone() -> None:
    actions = [Action("Abrir um chamado", "https://ajuda.example.org/novo")]
    found = _retrieval(_hit("Como dividir em períodos"))
    assert suggest(found, [], actions) == [Suggestion(ACTION, "Abrir um chamado", "https://ajuda.example.org/novo")]


def test_actions_are_read_from_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AION_ACTIONS", "Abrir um chamado: https://a.example/novo?x=1; RH: mailto:rh@a.example;Ramais: /r;"
    )
    assert load_settings().actions == (
        Action("Abrir um chamado", "https://a.example/novo?x=1"),
        Action("RH", "mailto:rh@a.example"),
        Action("Ramais", "/r"),
    )


@pytest.mark.parametrize("wrong", ["Abrir", "Abrir: javascript:alert(1)", ": https://a.example", "Abrir: //a.example"])
def test_an_action_that_cannot_be_opened_is_refused_with_its_text(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("AION_ACTIONS", wrong)
    with pytest.raises(SettingsError, match="AION_ACTIONS") as refused:
        load_settings()
    assert wrong.strip() in str(refused.value)
