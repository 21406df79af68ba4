"""Personal data is found by its form and check digits, and what only looks like it is left alone."""

import pytest

from aion_assets.core.learn.pii import personal_data_in


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Meu CPF é 529.982.247-25, e agora?", "cpf"),
        ("CPF 52998224725", "cpf"),
        ("O CNPJ 11.222.333/0001-81 está ativo?", "cnpj"),
        ("CNPJ 12.ABC.345/01DE-35", "cnpj"),
        ("escreva para maria.souza+rh@exemplo.com.br", "email"),
        ("Ligue para (11) 98765-4321", "phone"),
        ("call +44 20 7946 0958", "phone"),
        ("cartão 4111 1111 1111 1111", "card"),
        ("Olá, meu nome é Maria e quero férias", "name"),
        ("Hello, my name is John and I need a refund", "name"),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    assert personal_data_in(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "Qual é o prazo do artigo 1234 da lei 13.709/2018?",
        "O limite é de R$ 1.234.567,89 em 30/11/2026.",
        "CPF 111.222.333-44 não existe",
        "A norma 12345678901234 vale?",
        "When does the full backup of the database run?",
        "sou o responsável pela compra",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert personal_data_in(text) == ""
