from dataclasses import replace

from passages import hit

from aion_assets.core.answer.quotable import quotable
from aion_assets.core.answer.quotes import MAX_QUOTE_CHARS, best_quotes
from aion_assets.core.language.question import Question
from aion_assets.core.search.weights import TermWeights


def _quotes(question: str, *texts: str) -> list[str]:
    hits = [hit(str(number), text=text, score=1 - number / 10) for number, text in enumerate(texts)]
    return [quote.text for quote in best_quotes(Question.read(question), hits, TermWeights.of_texts(texts, "pt"))]


def test_the_sentence_with_the_words_of_the_question_is_quoted() -> None:
    text = "A escola abre cedo. O prazo de matrícula termina em março. Há um restaurante."
    assert _quotes("Quando termina o prazo de matrícula?", text) == ["O prazo de matrícula termina em março."]


def test_a_question_in_a_passage_is_quoted_with_its_answer() -> None:
    text = "Como peço férias?\nEnvie o formulário ao setor de pessoal.\nComo peço licença?\nFale com a chefia."
    assert _quotes("como peço férias", text) == ["Como peço férias?\nEnvie o formulário ao setor de pessoal."]


def test_a_question_of_two_sentences_is_quoted_whole() -> None:
    text = "Esqueci o código. E agora?\nPeça outro no balcão.\n\nO código do leitor entra no terminal."
    assert _quotes("esqueci o código do leitor", text) == ["Esqueci o código. E agora?\nPeça outro no balcão."]


def test_a_word_with_a_slip_of_the_pen_is_found() -> None:
    text = "A rampa tem largura mínima de 80 cm. O corredor tem largura mínima de 90 cm."
    assert _quotes("largura minima do coredor", text) == ["O corredor tem largura mínima de 90 cm."]


def test_a_heading_is_quoted_with_what_it_heads() -> None:
    text = "Instalação do Git\n\nBaixe o pacote e execute o instalador."
    assert _quotes("instalação do git", text) == ["Instalação do Git\nBaixe o pacote e execute o instalador."]


def test_a_label_without_a_full_stop_is_quoted_with_what_it_names_and_no_other_paragraph() -> None:
    text = "Orçamento de viagem\n\nR$ 5.000 por pessoa\n\nHorário da equipe\n\nDas 9 às 18 horas"
    assert _quotes("orçamento de viagem", text) == ["Orçamento de viagem\nR$ 5.000 por pessoa"]


def test_of_two_headings_with_the_words_of_the_question_the_one_without_others_is_quoted() -> None:
    text = (
        "O que acontece quando um documento aprovado muda\n\nA nova versão é lida.\n\n"
        "Como aprovar um documento\n\nCopie o id e aprove."
    )
    assert _quotes("como aprovo um documento", text) == ["Como aprovar um documento\nCopie o id e aprove."]


def test_a_list_follows_the_line_that_announces_it() -> None:
    text = "Documentos exigidos para a matrícula:\n- identidade\n- histórico escolar.\nO resto é opcional."
    assert _quotes("documentos para matrícula", text) == [
        "Documentos exigidos para a matrícula:\n- identidade\n- histórico escolar."
    ]


def test_a_long_sentence_is_cut_to_the_clause_that_answers() -> None:
    filler = "considerando o que ficou dito na reunião de ontem, "
    text = filler * 12 + "o prazo de matrícula termina em março, " + filler * 3 + "e nada mais."
    (quote,) = _quotes("prazo de matrícula", text)
    assert "prazo de matrícula termina em março" in quote
    assert quote.startswith("…")
    assert len(quote) <= MAX_QUOTE_CHARS + 2


def test_the_last_line_of_some_code_does_not_take_the_next_heading_with_it() -> None:
    text = (
        "Gentle settings:\n\nAION_CRAWL_DELAY_S=2\nAION_CRAWL_CONCURRENCY=1\n\nHow to read very large files\n\n"
        "A file larger than the limit is refused."
    )
    quotes = [item.text for item in quotable(text)]
    assert not any("CONCURRENCY" in one and "How to read" in one for one in quotes), quotes
    assert _quotes("how to read very large files", text) == [
        "How to read very large files\nA file larger than the limit is refused."
    ]


def test_no_full_stop_stands_before_the_mark_of_a_cut() -> None:
    (quote,) = _quotes("prazo de matrícula", "O prazo de matrícula é o do " + "art. 5 do " * 60 + "regimento.")
    assert quote.endswith(("art…", "do…", "5…")) and len(quote) <= MAX_QUOTE_CHARS + 1
    (quote,) = _quotes("prazo de matrícula", "O prazo de matrícula é o do " + "art. " * 90 + "regimento.")
    assert quote.endswith("art. art…")


def test_a_long_stretch_without_spaces_is_cut_where_the_room_ends() -> None:
    key = "abcdef0123456789" * 40
    (quote,) = _quotes("chave de registro", f"A chave de registro é {key}.")
    assert quote.startswith("A chave de registro é abcdef0123456789")
    assert MAX_QUOTE_CHARS // 2 < len(quote) <= MAX_QUOTE_CHARS + 2


def test_each_document_is_quoted_once_with_its_best_sentence() -> None:
    hits = [
        hit("a1", doc="a", text="O prazo existe.", score=1.0),
        hit("a2", doc="a", text="O prazo de matrícula termina em março.", score=0.9),
        hit("b", doc="b", text="Matrícula é grátis.", score=0.5),
    ]
    quotes = best_quotes(
        Question.read("prazo de matrícula"), hits, TermWeights.of_texts([item.text for item in hits], "pt")
    )
    assert [quote.hit.chunk_id for quote in quotes] == ["a2", "b"]


def test_a_quote_stands_in_its_passage() -> None:
    text = "Primeira frase,\nque a página  quebrou aqui mesmo em duas linhas. Segunda frase."
    (quote,) = _quotes("primeira frase", text)
    assert " ".join(quote.split()) in " ".join(text.split())


def test_code_follows_the_line_that_announces_it() -> None:
    text = "Para clonar um dado, chame clone:\n\nlet a = 1;\nlet b = a.clone();\n\nIsso custa tempo."
    assert _quotes("como clonar um dado", text) == ["Para clonar um dado, chame clone:\nlet a = 1;\nlet b = a.clone();"]


def test_what_says_no_more_than_its_title_and_heading_is_not_quoted() -> None:
    text = "Mais sobre prazos\n\nProcure a secretaria."
    passages = [
        hit("stub", text="Prazos de matrícula", title="Prazos de matrícula", score=1.0),
        hit("page", text=text, title="Mais sobre prazos", score=0.5),
    ]
    quotes = best_quotes(Question.read("prazos de matrícula"), passages, TermWeights.of_texts([text], "pt"))
    assert [(quote.hit.chunk_id, quote.text) for quote in quotes] == [("page", text.replace("\n\n", "\n"))]


def test_a_sentence_that_repeats_the_question_is_quoted_with_what_it_announces() -> None:
    text = "Julga-se também se as avaliações merecem crédito. Quem avalia sem ler marca a primeira. O resto é ruído."
    assert _quotes("Como se julga se as avaliações merecem crédito?", text) == [
        "Julga-se também se as avaliações merecem crédito. Quem avalia sem ler marca a primeira."
    ]


def test_a_sentence_that_points_back_is_quoted_with_the_one_before() -> None:
    text = "A eclusa abre às sete. Ela fecha ao pôr do sol.\n\nEla é de ferro."
    assert [one.text for one in quotable(text)] == [
        "A eclusa abre às sete.",
        "A eclusa abre às sete. Ela fecha ao pôr do sol.",
        "Ela é de ferro.",
    ]
    about_itself = "A eclusa abre às sete. Este regulamento vale desde maio."
    assert [one.text for one in quotable(about_itself)] == about_itself.replace(". ", ".\n").split("\n")


def test_a_sentence_that_only_repeats_the_question_does_not_answer_it() -> None:
    text = "A ata registra as decisões. É o principal tipo de documento do arquivo."
    assert _quotes("Qual é o principal tipo de documento do arquivo?", text) == ["A ata registra as decisões."]


def test_a_question_of_yes_or_no_and_a_count_may_be_answered_in_its_own_words() -> None:
    assert _quotes("O refeitório atende visitantes?", "O refeitório não atende visitantes.")
    assert _quotes("Quantas vagas tem o turno?", "O turno tem uma vaga.")


def test_the_same_words_are_quoted_once_from_where_they_stand_nearer_to_the_beginning() -> None:
    text = "O prazo de matrícula termina em março."
    book = hit("book", text=text, score=1.0)
    book.start = 5_000
    quotes = best_quotes(
        Question.read("prazo de matrícula"), [book, hit("page", text=text, score=0.9)], TermWeights({}, 0, "pt")
    )
    assert [quote.hit.chunk_id for quote in quotes] == ["page"]


def test_of_two_editions_the_one_in_the_language_of_the_question_is_quoted_first() -> None:
    passages = [
        hit("pt", text="Release: a versão publicada do índice.", score=1.0),
        hit("en", text="Release: the published version of the index.", score=0.97),
    ]
    passages[1].lang = "en"
    weights = TermWeights.of_texts([item.text for item in passages], "en")
    assert best_quotes(Question.read("what is a release"), passages, weights)[0].hit.chunk_id == "en"


def test_a_question_for_a_figure_is_answered_by_the_sentence_that_has_one() -> None:
    text = "A multa por atraso é cobrada do fornecedor. A multa por atraso é de 0,5% ao dia."
    assert _quotes("Qual é a multa por atraso?", text) == ["A multa por atraso é de 0,5% ao dia."]


def test_a_question_for_the_cases_is_answered_by_the_sentence_that_names_one() -> None:
    text = "O cancelamento do estágio cabe à supervisora imediata. O cancelamento é imediato se faltar o seguro."
    assert _quotes("Em que casos o cancelamento do estágio é imediato?", text) == [
        "O cancelamento é imediato se faltar o seguro."
    ]


def test_an_article_is_found_by_its_number_however_it_is_written() -> None:
    text = (
        "Art. 4º O laboratório abre às 7h30, conforme o regimento.\n\nArt. 5º O usuário assina o termo.\n\n"
        "Art. 6º É proibido comer.\n\nArt. 10. O alvará caduca em dois anos."
    )
    for question in ("art. 5 do regimento", "O que diz o artigo 5 do regimento?"):
        assert _quotes(question, text) == ["Art. 5º O usuário assina o termo."]
    assert _quotes("artigo 10 do regimento", text) == ["Art. 10. O alvará caduca em dois anos."]


def test_words_that_stand_in_every_sentence_decide_nothing() -> None:
    text = (
        "O teletrabalho e a revogação do teletrabalho cabem à chefia. "
        "O teletrabalho é pedido por formulário. "
        "A revogação é imediata quando as metas do teletrabalho não são cumpridas."
    )
    (quote,) = _quotes("Em que casos a revogação do teletrabalho é imediata?", text)
    assert "metas" in quote


def test_a_number_in_the_title_is_no_reason_to_quote_the_title() -> None:
    passage = hit(
        "a", title="NR-35", score=1.0, text="NR-35 fala de altura.\nO treinamento se repete a cada dois anos."
    )
    weights = TermWeights.of_texts([passage.text], "pt")
    question = Question.read("De quanto em quanto tempo se repete o treinamento da NR 35?")
    assert best_quotes(question, [passage], weights)[0].text == "O treinamento se repete a cada dois anos."


def test_a_how_to_is_quoted_with_all_its_steps() -> None:
    steps = ["1. Abra a tampa.", "2. Retire o filtro. Cuidado com a mola.", "3. Lave o filtro.", "4. Feche a tampa."]
    text = "O filtro dura um ano.\n\nTroca do filtro\n\n" + "\n\n".join(steps) + "\n\nO filtro velho vai para a coleta."
    assert _quotes("Como troco o filtro?", text) == ["\n".join(["Troca do filtro", *steps])]


def test_a_list_that_is_longer_than_a_sentence_may_be_is_quoted_to_its_end() -> None:
    items = [f"- Leve o documento de número {number}, com cópia simples e sem rasuras." for number in range(12)]
    text = "\n".join(["Para pedir o alvará:", *items])
    assert _quotes("como peço o alvará", text + "\n\nO alvará sai em dez dias.") == [text]


def test_code_with_a_blank_line_is_quoted_to_its_end() -> None:
    code = "import cofre\n\nchave = cofre.abrir(token)\n\nprint(chave)"
    text = f"O cofre é pago.\n\nAbra o cofre assim:\n\n{code}\n\nO cofre fecha sozinho."
    (quote,) = _quotes("Como abro o cofre?", text)
    assert quote.endswith("print(chave)")


def test_code_below_a_heading_is_quoted_to_its_last_line() -> None:
    text = "Como apagar as luzes\n\nlampo listar # os andares\nlampo desligar ANDAR # um deles\n\nA central confirma."
    assert _quotes("como apago as luzes", text) == [text.removesuffix("\n\nA central confirma.").replace("\n\n", "\n")]


def test_an_item_of_a_list_is_not_quoted_with_the_next_one() -> None:
    text = "Vacinas\n\n- gripe no posto\n- febre amarela na clínica\n\nAs vacinas são grátis."
    texts = [one.text for one in quotable(text)]
    assert texts[:2] == ["Vacinas\n- gripe no posto\n- febre amarela na clínica", "- gripe no posto"]
    assert texts[2:] == ["- febre amarela na clínica", "As vacinas são grátis."]


TABLE = "Ato | Preço | Prazo\nCertidão | R$ 41,20 | 3 dias\nFirma | R$ 9,80 | na hora\nProcuração | R$ 132,00 | 2 dias"


def test_a_row_of_a_table_is_quoted_below_the_names_of_its_columns() -> None:
    assert _quotes("Qual o prazo da procuração?", TABLE) == ["Ato | Preço | Prazo\n…\nProcuração | R$ 132,00 | 2 dias"]
    assert _quotes("Quanto custa a certidão?", TABLE) == ["Ato | Preço | Prazo\nCertidão | R$ 41,20 | 3 dias"]


def test_a_table_without_names_has_no_first_row_above_another() -> None:
    text = "BDI | Benefícios e despesas indiretas\nETP | Estudo técnico preliminar\nTR | Termo de referência"
    assert _quotes("O que é ETP?", text) == ["ETP | Estudo técnico preliminar"]


def test_a_record_of_names_and_values_has_no_names_of_columns_above_its_first_row() -> None:
    """ "Prazo" can name a column, and here it names the first value."""
    record = "Prazo | útil\nResponsável | Ana Prado\nCampo | aberto"
    assert _quotes("Quem é o responsável?", record) == ["Responsável | Ana Prado"]
    fields = "Campo | O que é\nPrazo | quando vence\nResponsável | quem assina"
    assert _quotes("Quem é o responsável?", fields) == ["Campo | O que é\n…\nResponsável | quem assina"]


def test_names_of_columns_at_the_end_of_a_passage_are_not_quoted_without_their_table() -> None:
    assert [one.text for one in quotable("Vale desde maio.\n\nCampo | O que é")] == ["Vale desde maio."]


def test_a_sentence_under_a_heading_of_the_passage_speaks_of_it() -> None:
    text = "Piscina\n\nAbre às 9 h e fecha às 18 h.\n\nSauna\n\nAbre às 14 h e fecha às 21 h. Exige exame médico."
    assert _quotes("A sauna exige exame?", text) == ["Exige exame médico."]


def test_a_numbered_heading_is_quoted_with_the_text_below_it() -> None:
    text = "1. Alcance\nVale para todos os setores.\n\n2. Sigilo de dados\nSigilo é não contar o que se leu no serviço."
    assert _quotes("o que é sigilo", text) == ["2. Sigilo de dados\nSigilo é não contar o que se leu no serviço."]


def test_one_of_several_entries_is_quoted_alone() -> None:
    text = "Zeladoria: Ana Prado\nJardim: Rui Melo\nPiscina: Caio Lins\n\nQ10 – vaga trancada\nQ20 – vaga sem dono"
    assert _quotes("quem cuida do jardim", text) == ["Jardim: Rui Melo"]
    assert _quotes("o que significa Q10", text) == ["Q10 – vaga trancada"]


def test_what_a_code_stands_for_is_quoted_with_what_is_to_be_done() -> None:
    text = "E07 Filter blocked. Rinse it under water.\nE09 Pump dry.\nFill the tank.\nE11 Lid open. Close the lid."
    texts = [one.text for one in quotable(text)]
    assert "E07 Filter blocked. Rinse it under water." in texts and "E09 Pump dry.\nFill the tank." in texts
    assert "E07 Filter blocked." not in texts


def test_a_record_is_quoted_to_its_end_though_it_has_abbreviations() -> None:
    text = "Rota: B-2; Escola: E.M. Rui Dias; Saída: 06:10\n\nRota: B-3; Escola: E.M. Ana Lins; Saída: 06:40"
    assert _quotes("que horas sai a rota B-3", text) == ["Rota: B-3; Escola: E.M. Ana Lins; Saída: 06:40"]


def test_items_with_roman_numbers_are_one_list_though_lines_between_them_are_blank() -> None:
    items = [
        f"{number} – {thing};" for number, thing in zip(("I", "II", "III", "IV"), ("a", "b", "c", "d"), strict=True)
    ]
    text = "\n\n".join(["Art. 4º Ficam livres da taxa:", *items, "Art. 5º A taxa vence em maio."])
    assert _quotes("quem fica livre da taxa", text) == ["Art. 4º Ficam livres da taxa:\n" + "\n".join(items)]


def test_how_many_is_not_answered_by_a_sum_of_money() -> None:
    text = "Filmes: R$ 3,00 por dia. Cada leitor leva 4 filmes."
    assert _quotes("quantos filmes posso levar por dia?", text) == ["Cada leitor leva 4 filmes."]


def test_a_list_of_paragraphs_or_one_that_began_elsewhere_is_read_item_by_item() -> None:
    long = "vale para todos os que usam a sala, a qualquer hora do dia, também nos feriados e nas férias de fim de ano"
    rules = [
        f"{number}. Regra {number}. Isto {long}. Quem não a segue é avisado pela portaria." for number in (1, 2, 3)
    ]
    for text in ("\n".join(["As regras da casa são estas.", *rules]), "Fim da regra anterior.\n7. Um.\n8. Dois."):
        texts = [one.text for one in quotable(text)]
        assert not any(one.steps for one in quotable(text))
        assert set(text.split("\n")) <= {*texts}


def test_names_of_columns_may_hold_numbers_or_be_years() -> None:
    prices = "Quadra | Hora (60 min) | Dia\nAreia | R$ 40,00 | R$ 200,00\nGrama | R$ 70,00 | R$ 380,00"
    assert _quotes("quanto custa a quadra de grama", prices)[0].startswith("Quadra | Hora (60 min) | Dia\n…\nGrama")
    years = "Receita | 2023 | 2024\nTaxas | 1.240 | 1.310\nDoações | 80 | 95"
    assert _quotes("quanto foram as doações", years) == ["Receita | 2023 | 2024\n…\nDoações | 80 | 95"]
    bare = "Areia | 40 | 200\nGrama | 70 | 380\nSaibro | 55 | 290"
    assert _quotes("quanto custa a de grama", bare) == ["Grama | 70 | 380"]


def test_the_last_line_of_a_paragraph_names_nothing_in_the_next_one() -> None:
    text = "AZ\nEquipe azul: bairro Acácias\n\nVD\nEquipe verde: Vila Nova\n\nPN\nPré-natal: gestantes"
    texts = [one.text for one in quotable(text)]
    assert "VD\nEquipe verde: Vila Nova" in texts
    assert not any("Acácias" in one and "VD" in one for one in texts)


def test_a_title_with_the_heading_below_it_is_no_quote() -> None:
    text = "Guia das bicicletas\n\nAntes de sair\n\n1. Encaixe a bateria.\n2. Gire a chave da bicicleta."
    passage = replace(hit("a", text=text, title="Guia das bicicletas"), heading="Guia das bicicletas > Antes de sair")
    quotes = best_quotes(Question.read("bicicletas sair"), [passage], TermWeights.of_texts([text], "pt"))
    assert [quote.text for quote in quotes] != ["Guia das bicicletas\nAntes de sair"]


def test_a_label_at_the_beginning_of_a_paragraph_names_all_of_it() -> None:
    text = (
        "Telhado. As telhas serão trocadas em junho. O andar fecha.\n\nTorta. Entregue até as 9h. O prêmio é de R$ 60."
    )
    texts = [one.text for one in quotable(text)]
    assert "Telhado. As telhas serão trocadas em junho." in texts and "Telhado." not in texts
    assert {one.label for one in quotable(text) if one.text == "O prêmio é de R$ 60."} == {"Torta"}
    assert _quotes("qual o prêmio da torta", text) == ["O prêmio é de R$ 60."]


def test_a_bare_no_is_quoted_with_its_reason() -> None:
    text = "Herança paga ITBI? Não. Sobre ela incide o ITCMD, do Estado. Procure a Secretaria da Fazenda."
    assert _quotes("herança paga itbi", text) == ["Herança paga ITBI? Não. Sobre ela incide o ITCMD, do Estado."]


def test_every_sentence_of_an_answer_stands_below_its_question() -> None:
    text = "Qual o horário da secretaria? Segunda a sexta, das 8h às 19h. Sábado, das 8h às 12h.\n\nHá vagas no pátio."
    labels = {one.text: one.label for one in quotable(text)}
    assert labels["Sábado, das 8h às 12h."] == "Qual o horário da secretaria?"
    assert _quotes("horario secretaria sabado", text) == ["Sábado, das 8h às 12h."]
    suit = "Diver's suit (1907). Copper helmet; it weighs 79 kg."
    assert next(one.text for one in quotable(suit)) == suit


def test_every_record_of_a_table_can_be_quoted_and_none_is_the_heading_of_the_next() -> None:
    text = "Cargo: Motorista; Vagas: 6\n\nCargo: Eletricista; Vagas: 2\n\nCargo: Jardineiro; Vagas: 4"
    for name, vacancies in (("motorista", 6), ("eletricista", 2), ("jardineiro", 4)):
        quotes = _quotes(f"Quantas vagas há para {name}?", text)
        assert quotes == [f"Cargo: {name.capitalize()}; Vagas: {vacancies}"]
