"""Decisions follow the content of a file that was renamed, or of a page that moved."""

from typing import Any

import pytest

from aion_assets.core.curate.decisions import (
    APPROVED,
    PENDING,
    REJECTED,
    Verdict,
    decide,
    decisions_of,
    register_documents,
)
from aion_assets.core.curate.history import newest_decision
from aion_assets.core.curate.moves import follow_moves, note_page_hashes
from aion_assets.core.database.engine import Database
from aion_assets.core.ids import digest
from aion_assets.core.records import AWAITS_PERSON, Source
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import add_source

Either = tuple[Database, Settings]


def document(title: str, text: str = "O texto.", page: str = "", detail: str = "") -> dict[str, Any]:
    facts = {"title": title, "quality": 0.9, "url": f"file:///{title}", "lang": "pt", "detail": detail}
    return facts | {"content_hash": digest(title, text), "page_hash": page or digest(text)}


def run(either: Either, source: Source, documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Returns the states after one run that finds these documents."""
    since = newest_decision(either[0])
    register_documents(either[0], source, documents, lambda keys: [(key, "O texto.") for key in keys])
    note_page_hashes(either[0], source.source_id, {key: row["page_hash"] for key, row in documents.items()})
    follow_moves(either[0], source, since)
    found = decisions_of(either[0], source.source_id)
    return {key: found[key].state for key in documents}


@pytest.mark.parametrize("state", [APPROVED, REJECTED])
@pytest.mark.parametrize("auto_approve", [False, True])
def test_a_renamed_document_keeps_what_a_person_decided(
    either_database: Either, state: str, auto_approve: bool
) -> None:
    source = add_source(*either_database, "uploads", schedule_s=0, auto_approve=auto_approve)
    run(either_database, source, {"a": document("velho"), "b": document("outro", "Outro texto.")})
    decide(either_database[0], source.tenant_id, ["a"], Verdict(state, "ana", "conferido", ["rh"]))
    after = run(either_database, source, {"c": document("novo"), "b": document("outro", "Outro texto.")})
    assert after["c"] == state
    assert decisions_of(either_database[0], source.source_id)["c"].decided_by in ("ana", "policy:auto-approve")


def test_a_copy_and_a_changed_document_wait_and_a_copy_is_the_heir_when_the_first_goes(either_database: Either) -> None:
    source = add_source(*either_database, "uploads", schedule_s=0)
    run(either_database, source, {"a": document("velho")})
    decide(either_database[0], source.tenant_id, ["a"], Verdict(APPROVED, "ana"))
    both = {"a": document("velho"), "c": document("cópia"), "d": document("novo", "Texto mudado.")}
    assert run(either_database, source, both) == {"a": APPROVED, "c": PENDING, "d": PENDING}
    del both["a"]
    assert run(either_database, source, both) == {"c": APPROVED, "d": PENDING}


def test_a_moved_page_with_other_bytes_and_the_same_text_keeps_its_decision(either_database: Either) -> None:
    source = add_source(*either_database, "https://example.org/", schedule_s=0)
    run(either_database, source, {"a": document("Taxas", page="1")})
    decide(either_database[0], source.tenant_id, ["a"], Verdict(APPROVED, "ana"))
    assert run(either_database, source, {"b": document("Taxas", page="2")}) == {"b": APPROVED}


def test_a_decision_stays_in_its_source(either_database: Either) -> None:
    one = add_source(*either_database, "https://example.org/", schedule_s=0)
    other = add_source(*either_database, "https://example.com/", schedule_s=0)
    run(either_database, one, {"a": document("Taxas")})
    decide(either_database[0], one.tenant_id, ["a"], Verdict(APPROVED, "ana"))
    run(either_database, one, {})
    assert run(either_database, other, {"b": document("Taxas")}) == {"b": PENDING}


def test_no_rule_approves_what_awaits_a_person(either_database: Either) -> None:
    source = add_source(*either_database, "https://example.org/", schedule_s=0, auto_approve=True)
    documents = {"a": document("Taxas"), "b": document("404", "Não há.", detail=f"{AWAITS_PERSON}an error page")}
    assert run(either_database, source, documents) == {"a": APPROVED, "b": PENDING}
