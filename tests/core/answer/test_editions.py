"""Of two editions of a document the newest answers, unless a year is asked for."""

import pytest
from passages import hit

from aion_assets.core.answer.quotes import best_quotes
from aion_assets.core.language.question import Question
from aion_assets.core.search.weights import TermWeights

OLD, NEW = ("Encadernação espiral até 100 folhas: R$ 6,50.", "Encadernação espiral até 100 folhas: R$ 7,90.")


@pytest.mark.parametrize(
    ("question", "titles", "first"),
    [
        ("quanto custa a encadernação espiral", ("Tabela 2024", "Tabela 2025"), NEW),
        ("quanto custava a encadernação espiral em 2024", ("Tabela 2024", "Tabela 2025"), OLD),
        ("quanto custa a encadernação espiral", ("Tabela 2024", "Proposta 2025"), OLD),
        ("quanto custa a encadernação espiral", ("Tabela", "Tabela 2025"), OLD),
    ],
)
def test_the_newest_edition_comes_first(question: str, titles: tuple[str, str], first: str) -> None:
    hits = [
        hit("old", doc="old", text=OLD, title=titles[0], score=0.6),
        hit("new", doc="new", text=NEW, title=titles[1], score=0.59),
    ]
    weights = TermWeights.of_texts([OLD, NEW], "pt")
    assert best_quotes(Question.read(question), hits, weights)[0].text == first
