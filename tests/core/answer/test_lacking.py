"""A quote that speaks of another one than the question is no answer."""

import pytest
from passages import hit

from aion_assets.core.answer.lacking import lacks_the_thing
from aion_assets.core.answer.quotes import Quote

ASKED = "Qual o tipo sanguíneo da Helena Prates?"
PRADO, PRATES = "Nome: Helena Prado\nTipo sanguíneo: O+", "Nome: Helena Prates\nInstrumento: viola"


ROWS = "Nome: Helena Prado; Tipo: O+; Sala: 2\n\nNome: Helena Prates; Tipo: A; Sala: 3"


@pytest.mark.parametrize(
    ("quote", "passages", "lacks"),
    [
        ("Nome: Helena Prado\n…\nTipo sanguíneo: O+", (PRADO, PRATES), True),
        ("Nome: Helena Prado; Tipo: O+; Sala: 2", (ROWS,), True),
        ("Nome: Helena Prates; Tipo: A; Sala: 3", (ROWS,), False),
        ("Nome: Helena Prates\n…\nTipo sanguíneo: A", (f"{PRATES}\nTipo sanguíneo: A", PRADO), False),
        ("A Helena tem sangue O+.", ("Helena Prates chegou. A Helena tem sangue O+.",), False),
    ],
)
def test_another_one_with_half_the_name_is_told_from_the_one_that_is_asked_for(
    quote: str, passages: tuple[str, ...], lacks: bool
) -> None:
    hits = [hit(str(number), text=text) for number, text in enumerate(passages)]
    assert lacks_the_thing(ASKED, Quote(hits[0], quote, 1.0), hits, crossed=False) is lacks
