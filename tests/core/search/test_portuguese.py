import pytest

from aion_assets.core.search.portuguese import with_singulars


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("eleições", "eleição"),
        ("situacoes", "situacao"),
        ("alemães", "alemão"),
        ("municipais", "municipal"),
        ("papéis", "papel"),
        ("lençóis azuis", "lençol azul"),
        ("jardins", "jardim"),
        ("casas", "casas"),
        ("depois, mais dois", "depois, mais dois"),
    ],
)
def test_irregular_plurals_become_singulars_and_other_words_stay(plural: str, singular: str) -> None:
    assert with_singulars(plural) == singular
