"""The curator's calls."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from serving_base import FILES, KnowledgeBase

from aion_assets.core.settings import Settings


@pytest.fixture
def waiting(tmp_path: Path) -> KnowledgeBase:
    """A base whose documents all wait for a decision."""
    base = KnowledgeBase(tmp_path, auto_approve=False)
    base.ingest()
    return base


@pytest.fixture
def curator(waiting: KnowledgeBase, serve: Callable[[Settings], httpx.Client]) -> Iterator[httpx.Client]:
    return serve(waiting.settings)


def test_pending_documents_are_paged_those_of_low_quality_first(curator: httpx.Client) -> None:
    whole = curator.get("/curation/pending").json()
    assert whole["total"] == len(FILES)
    qualities = [item["quality"] for item in whole["items"]]
    assert qualities == sorted(qualities)
    page = curator.get("/curation/pending", params={"limit": 2, "offset": 1}).json()
    assert page["items"] == whole["items"][1:3]
    assert page["total"] == len(FILES)


def test_the_queue_of_one_source_is_asked_for_by_its_name(curator: httpx.Client) -> None:
    assert curator.get("/curation/pending", params={"source": "regras"}).json()["total"] == len(FILES)
    unknown = curator.get("/curation/pending", params={"source": "outra"})
    assert unknown.status_code == 404
    assert "regras" in unknown.json()["next_step"]


def test_what_the_parser_remarked_is_shown_to_the_curator(
    tmp_path: Path, serve: Callable[[Settings], httpx.Client]
) -> None:
    base = KnowledgeBase(tmp_path, auto_approve=False)
    (base.folder / "restore.pdf").write_text(FILES["backup.html"].replace("Backup", "Restore"))
    base.ingest()
    items = serve(base.settings).get("/curation/pending").json()["items"]
    remarks = {item["doc_id"]: item["remark"] for item in items}
    assert remarks.pop(base.doc_id("restore.pdf")) == "named pdf, but its content is html"
    assert set(remarks.values()) == {""}


def test_an_approved_document_is_found_after_the_next_run(curator: httpx.Client, waiting: KnowledgeBase) -> None:
    doc_id = waiting.doc_id("ferias.md")
    body = {"doc_ids": [doc_id, doc_id], "action": "approve", "tags": ["rh"]}
    assert curator.get("/api/search", params={"q": "férias"}).json()["hits"] == []
    assert curator.post("/curation/action", json=body).json() == {"state": "approved", "changed": 1}
    waiting.decide_and_release()
    assert [hit["doc_id"] for hit in curator.get("/api/search", params={"q": "férias"}).json()["hits"]] == [doc_id]
    items = curator.get("/kb/items").json()
    assert [(item["doc_id"], item["state"], item["tags"]) for item in items["items"]] == [(doc_id, "approved", ["rh"])]
    assert items["items"][0]["decided_by"] == "api"
    assert items["items"][0]["decided_at"].endswith(("Z", "+00:00"))


def test_an_unknown_document_changes_nothing(curator: httpx.Client, waiting: KnowledgeBase) -> None:
    body = {"doc_ids": [waiting.doc_id("ferias.md"), "nobody"], "action": "approve"}
    response = curator.post("/curation/action", json=body)
    assert response.status_code == 404
    assert "nobody" in response.json()["error"]
    assert curator.get("/kb/items").json()["total"] == 0


def test_an_unknown_action_is_422(curator: httpx.Client) -> None:
    assert curator.post("/curation/action", json={"doc_ids": ["x"], "action": "delete"}).status_code == 422
    assert curator.post("/curation/action", json={"doc_ids": [], "action": "approve"}).status_code == 422


@pytest.mark.parametrize("part", [{"doc_ids": ["x\0"]}, {"reason": "sem\0fonte"}, {"tags": ["rh", "\0"]}])
def test_a_nul_is_refused_with_its_place(curator: httpx.Client, part: dict[str, object]) -> None:
    response = curator.post("/curation/action", json={"doc_ids": ["x"], "action": "approve"} | part)
    assert response.status_code == 422
    assert f"body.{next(iter(part))}" in response.json()["error"] and "NUL" in response.json()["error"]


def test_sources_are_listed_with_what_is_due(curator: httpx.Client) -> None:
    (source,) = curator.get("/api/sources").json()["sources"]
    assert source["source_id"] == "regras"
    assert source["kind"] == "folder"
    assert source["due"] == ""


def test_the_collected_file_is_shown_only_while_approved(curator: httpx.Client, waiting: KnowledgeBase) -> None:
    html, text = waiting.doc_id("backup.html"), waiting.doc_id("ferias.md")
    assert curator.get(f"/kb/items/{html}/original").status_code == 404
    curator.post("/curation/action", json={"doc_ids": [html, text], "action": "approve"})
    page = curator.get(f"/kb/items/{html}/original")
    assert page.text == FILES["backup.html"]
    assert page.headers["content-security-policy"].startswith("sandbox;")
    assert curator.get(f"/kb/items/{text}/original").headers["content-type"] == "text/plain; charset=utf-8"
    curator.post("/curation/action", json={"doc_ids": [html], "action": "reject"})
    assert curator.get(f"/kb/items/{html}/original").status_code == 404
    assert curator.get("/kb/items/nothing/original").status_code == 404


def test_an_offset_beyond_every_number_is_422(curator: httpx.Client) -> None:
    assert curator.get("/kb/items", params={"offset": 10**21}).status_code == 422


def test_a_page_in_an_older_encoding_is_shown_as_it_was_written(curator: httpx.Client, waiting: KnowledgeBase) -> None:
    markup = "<html><meta charset=windows-1252><h1>Trocas</h1><p>O prazo de devolução é de sete dias.</p></html>"
    (waiting.folder / "antigo.htm").write_bytes(markup.encode("cp1252"))
    waiting.ingest()
    page = waiting.doc_id("antigo.htm")
    curator.post("/curation/action", json={"doc_ids": [page], "action": "approve"})
    assert "devolução" in curator.get(f"/kb/items/{page}/original").text
