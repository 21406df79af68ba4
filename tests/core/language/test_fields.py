"""Whose form a document is."""

from aion_assets.core.language.fields import named_by_form

FORM = [
    "Nome completo | Helena Prado Vasques | Helena Prado Vasques",
    "Data de nascimento | 03/09/2014",
    "Curso: Violino",
    "Turma: VN-2A",
    "Nome: Luciana Prado",
    "Parentesco: mãe",
]


def test_a_form_is_named_by_its_first_field_with_a_name() -> None:
    assert named_by_form("\n\n".join(["Ficha nº 0412/2025", *FORM])) == "Helena Prado Vasques"
    assert named_by_form("\n".join(["Aluno: Heitor Prado Matrícula: 0413", *FORM[1:]])) == "Heitor Prado"


def test_a_list_of_records_and_a_text_with_few_fields_are_no_form() -> None:
    records = [f"Nome: Pessoa {number}\nRamal: 21{number}" for number in range(4)]
    assert named_by_form("\n".join(records)) == ""
    assert named_by_form("\n".join(FORM[:4])) == ""
    assert named_by_form("\n".join(FORM[1:4] * 2)) == ""
