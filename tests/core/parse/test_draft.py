"""Normalisation, anchors, titles and bounds that all types share."""

import pytest

from aion_assets.core.errors import ParseError
from aion_assets.core.parse import draft as draft_module
from aion_assets.core.parse.draft import Draft
from aion_assets.core.records import Anchor, ParsedDocument


def finish(draft: Draft, url: str = "", filename: str = "") -> ParsedDocument:
    return draft.finish(url=url, filename=filename)


def test_text_is_normalised_and_holds_nothing_invisible() -> None:
    draft = Draft()
    draft.paragraph(
        "Cafe\u0301\u00a0\u00a0 com\x00 a\ufb01nco\u200b\u202e\U000e0041\ud800\r\nlinha\u2028outra\n \t\nnovo"
    )
    assert finish(draft).text == "Café com afinco\nlinha\noutra\n\nnovo"


def test_code_keeps_its_indentation() -> None:
    draft = Draft()
    draft.verbatim("\nif x:\n\ty()  \n\n\n\nz\n")
    assert finish(draft).text == "if x:\n    y()\n\nz"


def test_anchors_carry_the_path_of_headings_to_their_place_in_the_text() -> None:
    draft = Draft()
    draft.paragraph("Antes.")
    draft.heading(1, "Um", "um")
    draft.paragraph("a")
    draft.heading(3, "Dois")
    draft.heading(2, "  Três\n", "tres")
    document = finish(draft)
    assert [(a.heading, a.fragment) for a in document.anchors] == [
        ("Um", "um"),
        ("Um > Dois", ""),
        ("Um > Três", "tres"),
    ]
    for anchor in document.anchors:
        assert document.text[anchor.offset :].startswith(anchor.heading.split(" > ")[-1])


def test_a_page_begins_at_its_first_text_and_an_empty_page_has_no_anchor() -> None:
    draft = Draft()
    for number, text in ((1, "um"), (2, ""), (3, "dois")):
        draft.page(number)
        draft.paragraph(text)
    assert finish(draft).anchors == [Anchor(0, 1), Anchor(4, 3)]


def test_a_title_is_never_empty() -> None:
    def titled(url: str = "", filename: str = "", heading: str = "", title: str = "") -> str:
        draft = Draft()
        draft.title = title
        draft.heading(1, heading)
        draft.paragraph("texto")
        return finish(draft, url, filename).title

    assert titled("http://a.br/b/regimento%20interno.pdf") == "regimento interno"
    assert titled("http://a.br/") == "a.br"
    assert titled("http://a.br/b", "ata 3.docx") == "ata 3"
    assert titled(filename="ata.docx", heading="Ata da reunião") == "Ata da reunião"
    assert titled(filename="ata.docx", heading="Ata", title=" O  título ") == "O título"
    assert titled() == "Untitled"


def test_text_beyond_the_limit_is_cut_and_remarked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_module, "MAX_TEXT_CHARS", 12)
    draft = Draft()
    draft.paragraph("12345678")
    draft.paragraph("abcdef")
    assert draft.full
    draft.paragraph("nada mais")
    assert finish(draft).text == "12345678\n\nab"
    assert draft.notes == ["the text is cut at 12 characters"]


def test_what_was_left_out_first_is_remarked_and_is_the_outcome_where_there_is_no_other_text() -> None:
    draft = Draft()
    draft.leave_out(ParseError("ocr-missing", "Tesseract is not installed."))
    draft.leave_out(ParseError("timeout", "the time limit is near"))
    with pytest.raises(ParseError) as raised:
        finish(draft)
    assert raised.value.reason == "ocr-missing" and draft.notes == ["Tesseract is not installed."]
    draft.paragraph("Capa")
    assert finish(draft).is_partial


def test_a_document_without_letters_is_refused() -> None:
    draft = Draft()
    draft.paragraph("---- ....")
    with pytest.raises(ParseError, match="no text"):
        finish(draft)


def test_the_title_of_a_form_says_whose_it_is() -> None:
    draft = Draft()
    draft.heading(1, "Ficha de matrícula")
    draft.paragraph("Aluno: Heitor Prado\nCurso: Violoncelo\nTurma: VC-3B\nInício: 02/2025\nProfessora: Renata Kessler")
    assert finish(draft).title == "Ficha de matrícula – Heitor Prado"
