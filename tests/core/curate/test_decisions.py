from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy import text as sql

from aion_assets.core.curate.decisions import (
    APPROVED,
    AUTO_APPROVE,
    EXCERPT_CHARS,
    REJECTED,
    Verdict,
    decide,
    decisions_of,
    full_ids,
    register_documents,
)
from aion_assets.core.curate.queue import Page, note_duplicates, read_queue
from aion_assets.core.database import tables
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import CurationError, PrefixError
from aion_assets.core.ids import digest
from aion_assets.core.records import Source
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import add_source, get_source
from aion_assets.core.sources.tombstones import read_hidden

Either = tuple[Database, Settings]
TEXT = "Um parágrafo sobre lavandas. " * 40


def _source(either: Either, *, auto_approve: bool = False) -> Source:
    return add_source(*either, "https://example.org/", schedule_s=0, auto_approve=auto_approve)


def _source_of_uploads(either: Either) -> Source:
    return add_source(*either, "uploads", schedule_s=0)


def _document(title: str = "Título", quality: float = 0.9, text: str = TEXT) -> dict[str, Any]:
    url = "https://example.org/a"
    return {"title": title, "quality": quality, "url": url, "lang": "pt", "content_hash": digest(title, text)}


def _register(
    either: Either, source: Source, documents: Mapping[str, Mapping[str, Any]], text: str = TEXT
) -> list[str]:
    """Ids whose text was asked for."""
    asked: list[str] = []

    def texts(keys: list[str]) -> Iterable[tuple[str, str]]:
        asked.extend(keys)
        return [(key, text) for key in keys]

    register_documents(either[0], source, documents, texts)
    return asked


def _state(either: Either, source: Source) -> dict[str, str]:
    return {key: found.state for key, found in decisions_of(either[0], source.source_id).items()}


def _hidden(either: Either) -> frozenset[str]:
    return read_hidden(either[0], either[1].tenant_id).doc_ids


def _decide(either: Either, state: str, *keys: str) -> int:
    return decide(either[0], either[1].tenant_id, keys, Verdict(state, "ana"))


def test_new_documents_wait_and_unchanged_ones_are_not_read_again(either_database: Either) -> None:
    source = _source(either_database)
    assert _register(either_database, source, {"a": _document(), "b": _document(quality=0.2)}) == ["a", "b"]
    assert _state(either_database, source) == {"a": "pending", "b": "pending"}
    assert _register(either_database, source, {"a": _document("Outro"), "b": _document(quality=0.2)}) == ["a"]
    total, rows = read_queue(either_database[0], either_database[1].tenant_id)
    assert (total, [row["doc_id"] for row in rows]) == (2, ["b", "a"]), "low quality needs a person most"
    assert rows[1]["title"] == "Outro" and len(rows[1]["excerpt"]) == EXCERPT_CHARS


def test_a_figure_that_changed_in_the_text_is_shown(either_database: Either) -> None:
    source = _source(either_database)
    for text in ("O prazo é de 12 dias.", "O prazo é de 21 dias."):
        changed = {"a": _document(text=text), "b": _document()}
        assert "a" in _register(either_database, source, changed, text)
        assert _register(either_database, source, changed, text) == []
        _, rows = read_queue(*_tenant(either_database))
        assert rows[0]["excerpt"] == text


def test_a_source_that_becomes_trusted_decides_on_what_changes_and_leaves_what_waits(either_database: Either) -> None:
    database, _ = either_database
    source = _source(either_database)
    _register(either_database, source, {key: _document() for key in ("changed", "old", "same")})
    with database.write() as connection:  # as it was shown before the queue kept content hashes
        connection.execute(update(tables.curation).where(tables.curation.c.doc_id == "old").values(content_hash=""))
    trusted = replace(source, auto_approve=True)
    now_there = {"changed": _document(text="21 dias"), "old": _document(), "same": _document()}
    assert _register(either_database, trusted, now_there) == ["changed", "old"]
    assert _register(either_database, trusted, now_there) == []
    assert _state(either_database, source) == {"changed": "approved", "old": "pending", "same": "pending"}


def test_a_trusted_source_leaves_what_says_nothing_to_a_person_until_it_says_something(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    _register(
        either_database, source, {"stub": _document(quality=0.1), "page": _document(), "held": _document("h", 0.1)}
    )
    assert _state(either_database, source) == {"stub": "pending", "page": "approved", "held": "pending"}
    _decide(either_database, "approved", "held")
    _decide(either_database, "pending", "held")
    _register(
        either_database, source, {"stub": _document(quality=0.7), "page": _document(), "held": _document("h", 0.8)}
    )
    assert _state(either_database, source) == {"stub": "approved", "page": "approved", "held": "pending"}, (
        "a person's decision stands"
    )


def test_auto_approve_decides_in_the_name_of_the_policy(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    _register(either_database, source, {"a": _document()})
    found = decisions_of(either_database[0], source.source_id)["a"]
    assert (found.state, found.decided_by) == (APPROVED, AUTO_APPROVE)
    assert found.decided_at is not None


def test_an_unknown_id_changes_nothing(either_database: Either) -> None:
    source = _source(either_database)
    _register(either_database, source, {"a": _document()})
    with pytest.raises(CurationError, match="'nowhere'"):
        _decide(either_database, APPROVED, "a", "nowhere")
    assert _state(either_database, source) == {"a": "pending"}
    with pytest.raises(CurationError, match="'maybe'"):
        _decide(either_database, "maybe", "a")


def test_a_decision_of_another_tenant_is_out_of_reach(either_database: Either) -> None:
    source = _source(either_database)
    _register(either_database, source, {"a": _document()})
    with pytest.raises(CurationError):
        decide(either_database[0], "other", ["a"], Verdict(APPROVED, "eva"))


def test_a_rejection_hides_at_once_and_an_approval_unhides(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    _register(either_database, source, {"a": _document(), "b": _document()})
    assert _decide(either_database, REJECTED, "a") == 1
    assert _hidden(either_database) == {"a"}
    assert _decide(either_database, REJECTED, "a") == 0, "deciding twice is deciding once"
    assert _decide(either_database, APPROVED, "a") == 1
    assert _hidden(either_database) == frozenset()


def test_what_was_never_shown_needs_no_tombstone(either_database: Either) -> None:
    source = _source(either_database)
    _register(either_database, source, {"a": _document()})
    _decide(either_database, REJECTED, "a")
    assert _hidden(either_database) == frozenset()


def test_a_decision_makes_its_source_due(either_database: Either) -> None:
    database, settings = either_database
    source = _source(either_database)
    _register(either_database, source, {"a": _document()})
    before = get_source(database, settings, source.source_id).asked
    _decide(either_database, APPROVED, "a")
    assert get_source(database, settings, source.source_id).asked == before + 1


def test_a_vanished_document_is_hidden_until_it_comes_back(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    both = {"a": _document(), "b": _document()}
    _register(either_database, source, both)
    for _ in range(2):
        _register(either_database, source, {"b": _document()})
        assert _hidden(either_database) == {"a"}
    _register(either_database, source, both)
    assert _hidden(either_database) == frozenset()
    assert _state(either_database, source)["a"] == APPROVED


def test_a_vanished_document_that_nobody_decided_leaves_the_queue(either_database: Either) -> None:
    source = _source(either_database)
    _register(either_database, source, {"a": _document(), "b": _document()})
    _decide(either_database, REJECTED, "b")
    _register(either_database, source, {})
    assert _state(either_database, source) == {"b": "rejected"}, "a rejection outlives its document"


def _register_while(
    either: Either, source: Source, documents: Mapping[str, Mapping[str, Any]], someone_decides: Callable[[], object]
) -> None:
    """Register documents of which one at least is new or changed; the decision falls after the states were read."""

    def texts(keys: list[str]) -> Iterable[tuple[str, str]]:
        someone_decides()
        return [(key, TEXT) for key in keys]

    register_documents(either[0], source, documents, texts)


def test_a_range_of_documents_touches_no_other_whatever_the_order_of_the_language(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    documents = {key: _document() for key in ("12", "aa00", "b000", "ff")}
    _register(either_database, source, documents)
    database, _ = either_database
    with database.read() as connection:
        order = connection.execute(select(tables.curation.c.doc_id).order_by(tables.curation.c.doc_id)).scalars().all()
        if database.engine.dialect.name == "postgresql":
            asked = sql("select collation_name from information_schema.columns where column_name = 'doc_id'")
            assert "C" in connection.execute(asked).scalars().all()
    assert order == sorted(documents)
    assert set(decisions_of(database, source.source_id, "doc_id >= 'a' AND doc_id < 'c'")) == {"aa00", "b000"}
    register_documents(database, source, {"b000": _document()}, lambda _: [], "doc_id >= 'a' AND doc_id < 'c'")
    assert _hidden(either_database) == {"aa00"}, "only of its range is missed what is not among the documents"


def test_a_rejection_during_the_run_stands_with_its_tombstone(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    _register(either_database, source, {"a": _document(), "b": _document()})
    changed = {"a": _document("Outro"), "b": _document()}
    _register_while(either_database, source, changed, lambda: _decide(either_database, "rejected", "a", "b"))
    assert _state(either_database, source) == {"a": "rejected", "b": "rejected"}
    assert _hidden(either_database) == {"a", "b"}


def test_the_policy_does_not_approve_what_a_person_decides_during_the_run(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    _register(either_database, source, {key: _document(quality=0.1) for key in ("a", "b", "c")})
    better = {key: _document(quality=0.9) for key in ("a", "b", "c")}

    def decide() -> None:
        _decide(either_database, "rejected", "a", "b")
        _decide(either_database, "pending", "b")

    _register_while(either_database, source, better, decide)
    assert _state(either_database, source) == {"a": "rejected", "b": "pending", "c": "approved"}
    found = decisions_of(either_database[0], source.source_id)
    assert {key: found[key].decided_by for key in found} == {"a": "ana", "b": "ana", "c": AUTO_APPROVE}


def test_a_decision_during_the_run_outlives_the_document_that_vanished(either_database: Either) -> None:
    approving, waiting = _source(either_database, auto_approve=True), _source_of_uploads(either_database)
    _register(either_database, approving, {"a": _document()})
    _register(either_database, waiting, {"b": _document()})
    new = {"new": _document()}
    _register_while(either_database, approving, new, lambda: _decide(either_database, "rejected", "a"))
    _register_while(either_database, waiting, {"other": _document()}, lambda: _decide(either_database, "approved", "b"))
    assert _state(either_database, approving)["a"] == "rejected"
    assert _state(either_database, waiting)["b"] == "approved"
    assert _hidden(either_database) == {"a", "b"}
    _register(either_database, approving, {"a": _document()})
    _register(either_database, waiting, {"b": _document()})
    assert read_queue(*_tenant(either_database), "rejected")[0] == 1, "it is listed as soon as it is back"
    assert _hidden(either_database) == {"a", "new"}


def test_two_curators_at_once_decide_one_after_the_other(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    keys = [f"d{number:02}" for number in range(40)]
    _register(either_database, source, {key: _document() for key in keys})
    with ThreadPoolExecutor(max_workers=2) as curators:
        for _ in range(10):
            first = curators.submit(_decide, either_database, "rejected", *keys)
            second = curators.submit(_decide, either_database, "rejected", *reversed(keys))
            assert {first.result(), second.result()} == {len(keys), 0}
            assert _hidden(either_database) == set(keys)
            _decide(either_database, "approved", *keys)


@pytest.mark.parametrize("now_there", [{}, {"b": _document("Outro"), "a": _document("Outro")}])
def test_a_run_waits_for_a_curator_and_never_the_other_way_round(
    either_database: Either, now_there: dict[str, dict[str, Any]]
) -> None:
    """The run finds the documents gone or changed while somebody is deciding on both."""
    source = _source(either_database)
    _register(either_database, source, {"a": _document(), "b": _document()})
    _decide(either_database, "approved", "b")
    with ThreadPoolExecutor(max_workers=1) as people, either_database[0].write() as curator:
        for key in ("a", "b"):
            curator.execute(select(tables.curation).where(tables.curation.c.doc_id == key).with_for_update())
            if key == "a":
                run = people.submit(_register, either_database, source, now_there)
                wait([run], 0.3)
        curator.commit()
        assert run.result() == sorted(now_there)


def test_more_documents_than_one_statement_takes_are_decided_together(either_database: Either) -> None:
    source = _source(either_database)
    many = {f"d{number:04}": _document() for number in range(1_203)}
    _register(either_database, source, many)
    assert _decide(either_database, APPROVED, *many) == len(many)
    assert set(_state(either_database, source).values()) == {APPROVED}
    total, rows = read_queue(either_database[0], "default", APPROVED, source.source_id, Page(10, 1_200))
    assert (total, len(rows)) == (1_203, 3)


def test_the_curator_sees_which_documents_repeat_another(either_database: Either) -> None:
    source = _source(either_database)
    _register(either_database, source, {"a": _document(), "b": _document()})
    for noted in ({"b": "a"}, {}):
        note_duplicates(either_database[0], source.source_id, noted)
        _, rows = read_queue(either_database[0], "default")
        assert {row["doc_id"]: row["duplicate_of"] for row in rows} == {"a": "", "b": noted.get("b", "")}


def test_a_reason_given_later_is_kept_with_the_decision(either_database: Either) -> None:
    source = _source(either_database)
    _register(either_database, source, {"a": _document()})
    given = [decide(*_tenant(either_database), ["a"], Verdict(REJECTED, "me", r)) for r in ("", "old", "")]
    _, rows = read_queue(*_tenant(either_database), REJECTED)
    assert (given, [row["reason"] for row in rows]) == ([1, 1, 0], ["old"])


def test_a_vanished_document_is_not_listed_until_it_is_back(either_database: Either) -> None:
    source = _source(either_database, auto_approve=True)
    for documents, listed in (({"a": _document()}, 1), ({}, 0), ({"a": _document()}, 1)):
        _register(either_database, source, documents)
        assert read_queue(*_tenant(either_database), APPROVED)[0] == listed


def test_an_unknown_state_is_refused_with_those_there_are(either_database: Either) -> None:
    with pytest.raises(CurationError, match=r"'foo'.*pending, approved, rejected"):
        read_queue(*_tenant(either_database), "foo")


def test_an_id_may_be_given_by_its_beginning_when_no_other_begins_so(either_database: Either) -> None:
    source = _source(either_database)
    _register(either_database, source, {key: _document() for key in ("abcdef01", "abcdef02", "123456_8", "1234567")})
    full = [full_ids(*_tenant(either_database), given) for given in (["abcdef01"], ["123456_", "123456_8"])]
    assert full == [["abcdef01"], ["123456_8"]]
    assert full_ids(*_tenant(either_database), ["feedface"]) == ["feedface"], "which no decision then finds"
    with pytest.raises(PrefixError, match=r"'abcdef'.*abcdef01, abcdef02"):
        full_ids(*_tenant(either_database), ["abcdef"])
    with pytest.raises(PrefixError, match=r"'12345'.*6 characters"):
        full_ids(*_tenant(either_database), ["12345"])


def _tenant(either: Either) -> tuple[Database, str]:
    return either[0], either[1].tenant_id
