"""The natural bases: what their questions expect stands in their documents, as the parsers read them."""

from pathlib import Path

import pytest

from aion_assets.core.learn.labelled import LabelledSet
from aion_assets.core.learn.metrics import holds_answer
from aion_assets.core.parse import parse_bytes
from bench.natural import load_natural_sets, natural_halves

BASES = load_natural_sets()


@pytest.mark.parametrize("base", BASES, ids=[base.name for base in BASES])
def test_every_expected_answer_stands_in_a_document_that_is_named_for_it(base: LabelledSet) -> None:
    (folder,) = base.addresses
    texts = {
        path.name: parse_bytes(path.read_bytes(), filename=path.name, content_type="", url="").text
        for path in Path(folder).iterdir()
    }
    for question in base.queries:
        assert question.answerable == bool(question.relevant)
        for answer in question.answers:
            assert any(holds_answer(texts[name], [answer]) for name in question.relevant), (question.text, answer)


def test_the_two_halves_share_no_base_and_leave_none_out() -> None:
    one, other = natural_halves().values()
    assert sorted(base.name for base in (*one, *other)) == [base.name for base in BASES]
