import pytest

from aion_assets.core.language.sentences import sentence_spans


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("O Sr. Silva chegou. Depois saiu?", ["O Sr. Silva chegou.", "Depois saiu?"]),
        ("Veja o art. 5º da lei. É claro.", ["Veja o art. 5º da lei.", "É claro."]),
        ("Leva no máx. 300 kg e tem no mín. 2 portas. Sobe.", ["Leva no máx. 300 kg e tem no mín. 2 portas.", "Sobe."]),
        ("Dura aprox. 30 dias. Acaba.", ["Dura aprox. 30 dias.", "Acaba."]),
        ("Art. 10. O alvará caduca. Depois, nada.", ["Art. 10. O alvará caduca.", "Depois, nada."]),
        ("Cláusula 3. O preço é fixo.\n2. Ligue o motor.", ["Cláusula 3. O preço é fixo.", "2. Ligue o motor."]),
        ("Nasceu em 2020. Depois cresceu.", ["Nasceu em 2020.", "Depois cresceu."]),
        ("J. R. R. Tolkien wrote it. He did!", ["J. R. R. Tolkien wrote it.", "He did!"]),
        ("Custa R$ 3.50 por mês. Barato.", ["Custa R$ 3.50 por mês.", "Barato."]),
        (
            "O calado é de 1,80 m. O cais tem 40 m. Há vagas.",
            ["O calado é de 1,80 m.", "O cais tem 40 m.", "Há vagas."],
        ),
        ("Para com 36 km/h. A 4 °C. Ou a 220 V. Fim.", ["Para com 36 km/h.", "A 4 °C.", "Ou a 220 V.", "Fim."]),
        ("§ 1º O prazo é fixo. § 2º A taxa varia.", ["§ 1º O prazo é fixo.", "§ 2º A taxa varia."]),
        ("It weighs 1.2 t. It served at sea.", ["It weighs 1.2 t.", "It served at sea."]),
        ("Em 1990 J. Silva saiu. O lote 7 B. Depois.", ["Em 1990 J. Silva saiu.", "O lote 7 B.", "Depois."]),
        ("O Des. Melo e o Eng. Reis votaram. Sim.", ["O Des. Melo e o Eng. Reis votaram.", "Sim."]),
        (
            "See No. 5 and Sec. 3. They said no. Nobody asked.",
            ["See No. 5 and Sec. 3.", "They said no.", "Nobody asked."],
        ),
        ("Título\n\nCorpo do texto", ["Título", "Corpo do texto"]),
        (
            "nome: Ana de Souza e Silva Pereira da Costa\nnome: Zé",
            ["nome: Ana de Souza e Silva Pereira da Costa", "nome: Zé"],
        ),
        ("   ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in sentence_spans(text)] == sentences


def test_a_line_wrapped_by_the_page_goes_on_in_the_next() -> None:
    text = "Esta linha foi quebrada pela largura da página do documento\ne continua aqui.\nOutra começa."
    assert len(sentence_spans(text)) == 2


def test_a_full_line_goes_on_before_a_capital_or_a_number_where_lines_are_wrapped() -> None:
    lines = [
        "O telhado do prédio velho será trocado já entre os dias três e",
        "21 de junho, e o segundo andar fecha. Quem estiver por lá deve",
        "ir para o anexo.",
        "* Com duas telas a janela da fatura pode abrir fora dela. Aperte",
        "Ctrl+0 para ela voltar.",
        "* O banco pede uma nova senha de dez em dez dias corridos, e diz",
        "* que assim fica.",
    ]
    text = "\n".join(lines)
    found = [text[start:end] for start, end in sentence_spans(text)]
    assert found[0].endswith("21 de junho, e o segundo andar fecha.")
    assert found[3] == "Aperte\nCtrl+0 para ela voltar." and found[5] == "* que assim fica."
    alone = "Rua das Flores, 10, com entrada pelos fundos do prédio do meio\nRua do Sol, 20"
    assert len(sentence_spans(alone)) == 2  # nothing tells that it was wrapped


def test_dots_that_lead_to_the_next_column_end_nothing() -> None:
    text = "Primeiros socorros ........ 12 de fevereiro\nBrigada ... 4 de março\nEle parou... Depois seguiu."
    lines = text.split("\n")
    assert [text[start:end] for start, end in sentence_spans(text)][:2] == lines[:2]
    assert len(sentence_spans(text)) == 4


def test_a_command_with_a_remark_is_not_carried_on_by_the_next_one() -> None:
    commands = "lampo ligar              # todas as luminárias do andar\nlampo desligar ANDAR     # as de um andar"
    assert [commands[start:end] for start, end in sentence_spans(commands)] == commands.split("\n")


def test_a_command_is_not_carried_on_by_the_next_one() -> None:
    commands = "aion source add https://exemplo.org.br --name exemplo --max-pages 50\naion run\naion curate list"
    assert [commands[start:end] for start, end in sentence_spans(commands)] == commands.split("\n")


def test_prose_that_speaks_of_an_option_is_carried_on() -> None:
    wrapped = "With the option --amend, the last of the commits is\nreplaced by a new one."
    assert sentence_spans(wrapped) == [(0, len(wrapped))]
