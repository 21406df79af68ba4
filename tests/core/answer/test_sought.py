"""What a question wants told, and whether a text has anything of the kind."""

import pytest

from aion_assets.core.answer.sought import Sought


@pytest.mark.parametrize(
    ("question", "has_one", "has_none"),
    [
        ("Qual é o telefone do almoxarifado?", "Ligue para (31) 3555-0192.", "O almoxarifado atende os pedidos."),
        ("What is the depot's phone number?", "Call 0800 55 12.", "The depot answers every call since 2019."),
        ("Qual o e-mail da ouvidoria?", "Escreva a ouvidoria@exemplo.br.", "A ouvidoria responde por escrito."),
        ("Quanto custa a segunda via?", "A segunda via custa trinta reais.", "A segunda via sai em 3 dias."),
        ("How much is a photocopy?", "Photocopies cost 12p each.", "Photocopies are made on floor 2."),
        ("How much does the tour cost?", "The tour is free.", "The tour lasts 40 minutes."),
        ("How much is lunch at the café?", "Lunch is €8 on weekdays.", "The café is open for lunch."),
        ("How much is a dozen eggs?", "stall: 6; sells: eggs; price: 4", "stall: 6; sells: eggs; weeks: every week"),
        ("Quanto custa a aula?", "Sócio: 35", "A aula tem vagas."),
        ("Quanto o guincho cobra?", "O guincho cobra R$ 90,00.", "O guincho atende de dia e de noite."),
        ("Qual o valor do auxílio?", "O auxílio é de R$ 300,00.", "O auxílio é pago a quem o pede."),
        (
            "A que horas abre a sauna?",
            "A sauna abre às 14h.",
            "A sauna funciona às terças e aos sábados, até o dia 20.",
        ),
        ("What time does the shop close?", "It closes at half past, by six.", "It closes on 24 December."),
        ("How long does the bus take?", "The ride takes about 25 minutes.", "A single costs $6.50."),
        ("Por quanto tempo vale a senha?", "Vale por dois dias.", "A senha tem 8 letras."),
        ("Quanto tempo levou a secagem do lote L-24?", "Lote: L-24; Secagem: 262:00", "Lote: L-24; Perda: 15,5%"),
        ("Qual a altura do portão?", "Portão: norte; Altura: 2,40", "Portão: norte; Cor: 3"),
        ("Quanto ganha a contadora?", "A contadora recebe R$ 5.200,00.", "Nome: Vanessa; Ramal: 2113; Setor: 4"),
        ("Qual é o valor do vale?", "Quem tem o vale não paga.", "O vale não paga bebida alcoólica."),
        ("Quem é o juiz corregedor?", "O juiz corregedor é Davi Prado.", "Cabe recurso ao juiz corregedor."),
        ("Quantas vagas há no pátio?", "Há doze vagas.", "As vagas são cobertas."),
        ("Quem assina o laudo?", "O laudo é assinado pelo engenheiro.", "O laudo é assinado antes da vistoria."),
        ("Quem é a diretora do museu?", "A diretora é Lia Prado.", "A diretora do museu escolhe as peças."),
        ("Quem é o coordenador?", "O coordenador é o Sr. Melo.", "A coordenação devolve os objetos."),
        ("Quem assina a norma?", "Quem assina é Rui Dias.", "Esta norma cumpre o que diz a Lei nº 9.784."),
        ("Who founded the society?", "It was founded by Ada Brook.", "The society was founded with great hopes."),
        ("Quando começa a obra?", "A obra começa em maio.", "A obra começa com o muro."),
        ("When was the bridge opened?", "It opened in 1931.", "The bridge was opened with a speech."),
        ("Qual é o endereço do arquivo?", "Rua das Flores, 12.", "O arquivo guarda processos."),
        ("Qual o telefone da loja?", "Rua Sá, 12, (31) 3555-0192.", "Av. Rio Branco, 3040, sala 12."),
        ("What is the shop's phone number?", "12 Mill Road, ext. 3040.", "The shop is at 3040 Mill Road."),
        ("Who presents the folk show?", "Ann Lowe presents it.", "The folk show moves from Tuesday to Friday."),
        ("Quem apresenta o sarau?", "O sarau é apresentado por Lia.", "O sarau vai de Sábado a Domingo."),
        ("When is the show?", "It is held in May.", "Produce may be sold at the show."),
        ("What is the gate code?", "The gate code is 4471.", "The gate code changes and the warden has it."),
        ("What is the archive's address?", "12 Mill Road.", "The archive keeps records."),
        ("Qual a senha do wifi?", "Senha: jardim", "A senha do wifi fica com a recepção."),
        ("Qual o peso da mesa?", "A mesa tem 12kg.", "A mesa custa 120 reais."),
        ("What is the weight of one panel?", "panel: B2; weight_kg: 21", "panel: B2; price: £45; cells: 108"),
        ("Qual a altura do portão?", "O portão tem dois metros.", "O portão tem 2 folhas."),
        ("How deep is the pool?", "At the far end 3 m.", "The pool has 6 lanes."),
        ("What is the temperature of the store?", "It is kept at 4 °C.", "The store has 4 doors."),
    ],
)
def test_a_text_without_anything_of_the_kind_is_told_from_one_with(question: str, has_one: str, has_none: str) -> None:
    sought = Sought(question)
    assert len(sought.kinds) == 1
    assert not sought.lacking_in(has_one)
    assert sought.lacking_in(has_none) == sought.kinds


@pytest.mark.parametrize(
    "question",
    [
        "Como troco o telefone do cadastro?",
        "Posso usar o celular na prova?",
        "Quem pode usar a quadra?",
        "Quem pode apresentar recurso?",
        "Quando o pagamento atrasa, o que acontece?",
        "O que diz a norma sobre preços?",
        "How do I change my e-mail?",
        "Fale sobre o regimento",
    ],
)
def test_most_questions_want_no_such_thing(question: str) -> None:
    assert not Sought(question).kinds
