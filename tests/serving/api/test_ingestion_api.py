"""Handing in files and links, up to the point where the pipeline takes them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from serving_base import KnowledgeBase

from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import get_source
from aion_serving.api.uploads import plain_name

TEXT = b"# Norma 12\n\nO prazo do recurso administrativo \xc3\xa9 de quinze dias corridos a contar da ci\xc3\xaancia.\n"
LIMIT = 200_000


@pytest.fixture
def knowledge(tmp_path: Path) -> KnowledgeBase:
    return KnowledgeBase(tmp_path, max_fetch_bytes=LIMIT, allow_private_networks="10.9.0.0/16")


@pytest.fixture
def sender(knowledge: KnowledgeBase, serve: Callable[[Settings], httpx.Client]) -> Iterator[httpx.Client]:
    return serve(knowledge.settings)


def send(sender: httpx.Client, name: str, body: bytes, **fields: str) -> httpx.Response:
    return sender.post("/kb/ingest/file", files={"file": (name, body)}, data=fields)


def uploaded(knowledge: KnowledgeBase, source_id: str = "uploads") -> dict[str, bytes]:
    folder = knowledge.settings.home / "uploads" / source_id
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_a_file_goes_through_the_pipeline_to_the_curator_and_into_answers(
    sender: httpx.Client, knowledge: KnowledgeBase
) -> None:
    response = send(sender, "norma-12.md", TEXT)
    assert response.status_code == 202
    assert response.json() == {"source_id": "uploads", "name": "norma-12.md", "status": "accepted"}
    state = get_source(knowledge.database, knowledge.settings, "uploads")
    assert state.due
    knowledge.collect(state.source)
    knowledge.parse(state.source)
    knowledge.decide_and_release(state.source)
    assert get_source(knowledge.database, knowledge.settings, "uploads").due == ""
    (item,) = sender.get("/curation/pending").json()["items"]
    assert item["title"] == "Norma 12"
    sender.post("/curation/action", json={"doc_ids": [item["doc_id"]], "action": "approve"})
    knowledge.decide_and_release(state.source)
    answer = sender.post("/api/chat", json={"message": "Qual é o prazo do recurso administrativo?"}).json()
    assert "quinze dias" in answer["text"]
    assert sender.get(answer["citations"][0]["link"]).content == TEXT


def test_a_dump_becomes_a_source_whose_lines_are_documents(sender: httpx.Client, knowledge: KnowledgeBase) -> None:
    lines = b'{"id": 1, "title": "Ferias", "text": "um"}\n{"id": 2, "title": "Folgas", "text": "dois"}\n'
    first = send(sender, "perguntas.jsonl", lines)
    assert first.status_code == 202
    assert first.json() == {"source_id": "perguntas", "name": "perguntas.jsonl", "status": "accepted"}
    knowledge.run(get_source(knowledge.database, knowledge.settings, "perguntas").source)
    assert {item["title"] for item in sender.get("/curation/pending").json()["items"]} == {"Ferias", "Folgas"}
    assert send(sender, "perguntas.jsonl", lines).json()["status"] == "unchanged"
    assert send(sender, "perguntas.jsonl", lines[:40]).status_code == 409
    assert send(sender, "perguntas.jsonl", lines, source="uploads").status_code == 422
    assert send(sender, "perguntas.jsonl", lines * 2, replace="true").json()["source_id"] == "perguntas"


@pytest.mark.parametrize("trusted", [False, True])
def test_what_replaces_an_approved_file_waits_for_a_decision_unless_its_source_is_trusted(
    sender: httpx.Client, knowledge: KnowledgeBase, trusted: bool
) -> None:
    source = knowledge.add("uploads", name="envios", auto_approve=trusted)
    send(sender, "norma-12.md", TEXT, source="envios")
    knowledge.run(source)
    doc_id = knowledge.docs(source)["norma-12.md"]
    sender.post("/curation/action", json={"doc_ids": [doc_id], "action": "approve"})
    knowledge.run(source)
    found = {"q": "prazo do recurso administrativo", "k": 20}
    assert doc_id in {hit["doc_id"] for hit in sender.get("/api/search", params=found).json()["hits"]}

    assert send(sender, "norma-12.md", TEXT, source="envios", replace="true").json()["status"] == "unchanged"
    other = TEXT.replace(b"quinze", b"trinta")
    assert send(sender, "norma-12.md", other, source="envios", replace="true").status_code == 202
    knowledge.run(source)
    hits = {hit["doc_id"]: hit["text"] for hit in sender.get("/api/search", params=found).json()["hits"]}
    waiting = {item["doc_id"]: item["reason"] for item in sender.get("/curation/pending").json()["items"]}
    assert (doc_id in waiting, doc_id in hits) == (not trusted, trusted)
    if not trusted:
        assert waiting[doc_id] == "Its content was replaced."
        assert sender.get(f"/kb/items/{doc_id}/original").status_code == 404
        sender.post("/curation/action", json={"doc_ids": [doc_id], "action": "approve"})
        knowledge.run(source)
        hits = {hit["doc_id"]: hit["text"] for hit in sender.get("/api/search", params=found).json()["hits"]}
    assert "trinta dias" in hits[doc_id]


def test_files_bytes_links_and_sources_have_quotas_that_name_their_setting(
    knowledge: KnowledgeBase, serve: Callable[[Settings], httpx.Client]
) -> None:
    limits = {"max_uploads": 2, "max_links": 1, "max_upload_bytes": 1_000, "max_sources": 3}
    sender = serve(knowledge.settings.model_copy(update=limits))
    assert [send(sender, name, TEXT).status_code for name in ("a.md", "b.md", "b.md")] == [202, 202, 202]
    link = {"url": "http://10.9.0.7:8080/a"}
    assert sender.post("/kb/ingest/link", json=link).status_code == 202
    assert sender.post("/kb/ingest/link", json=link).json()["status"] == "unchanged"
    refused = {
        "AION_MAX_UPLOADS is 2": (409, send(sender, "c.md", TEXT)),
        "AION_MAX_LINKS is 1": (409, sender.post("/kb/ingest/link", json={"url": "http://10.9.0.7:8080/b"})),
        "AION_MAX_UPLOAD_BYTES is 1000": (413, send(sender, "a.md", TEXT * 20, replace="true")),
    }
    assert send(sender, "dump.jsonl", b'{"id": 1, "text": "um"}').status_code == 202, "the third source"
    refused["AION_MAX_SOURCES is 3"] = (409, send(sender, "other.jsonl", b'{"id": 1, "text": "um"}'))
    for says, (status, response) in refused.items():
        assert response.status_code == status, response.text
        assert says in response.json()["error"] and response.json()["next_step"]
    assert set(uploaded(knowledge)) >= {"a.md", "b.md"} and uploaded(knowledge)["a.md"] == TEXT


def test_a_further_file_makes_the_source_due_again(sender: httpx.Client, knowledge: KnowledgeBase) -> None:
    send(sender, "a.txt", TEXT)
    knowledge.run(get_source(knowledge.database, knowledge.settings, "uploads").source)
    assert get_source(knowledge.database, knowledge.settings, "uploads").due == ""
    send(sender, "b.txt", TEXT)
    assert get_source(knowledge.database, knowledge.settings, "uploads").due == "requested"


def test_the_same_file_twice_is_one_and_another_of_that_name_is_refused(
    sender: httpx.Client, knowledge: KnowledgeBase
) -> None:
    assert send(sender, "norma.md", TEXT).json()["status"] == "accepted"
    assert send(sender, "norma.md", TEXT).json()["status"] == "unchanged"
    other = send(sender, "norma.md", b"# Outra")
    assert other.status_code == 409
    assert "replace=true" in other.json()["next_step"]
    assert uploaded(knowledge) == {"norma.md": TEXT}
    assert send(sender, "norma.md", b"# Outra", replace="true").json()["status"] == "accepted"
    assert uploaded(knowledge) == {"norma.md": b"# Outra"}


def test_types_that_are_not_taken_are_415_and_leave_nothing(sender: httpx.Client, knowledge: KnowledgeBase) -> None:
    for name in ("program.exe", "archive.zip", "noextension", ".md", "page.html.tmp"):
        response = send(sender, name, TEXT)
        assert response.status_code == 415, name
        assert "pdf" in response.json()["next_step"]
    assert uploaded(knowledge) == {}


def test_a_file_beyond_the_limit_is_413_whether_or_not_it_says_its_length(
    sender: httpx.Client, knowledge: KnowledgeBase
) -> None:
    for size in (LIMIT + 1, LIMIT + 500_000, 30_000_000):
        response = send(sender, "big.txt", b"x" * size)
        assert response.status_code == 413, size
        assert response.json()["next_step"]

    def streamed() -> Iterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="big.txt"\r\n\r\n'
        for _ in range(300):
            yield b"x" * 10_000
        yield b"\r\n--b--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert sender.post("/kb/ingest/file", content=streamed(), headers=headers).status_code == 413
    assert uploaded(knowledge) == {}


def test_a_file_of_just_the_limit_is_taken(sender: httpx.Client, knowledge: KnowledgeBase) -> None:
    assert send(sender, "just.txt", b"x" * LIMIT).status_code == 202
    assert len(uploaded(knowledge)["just.txt"]) == LIMIT


def test_a_name_cannot_lead_out_of_the_folder(sender: httpx.Client, knowledge: KnowledgeBase) -> None:
    for name in ("../../evil.md", "/etc/evil.md", "..\\..\\evil.md", "...evil.md"):
        assert send(sender, name, TEXT).status_code == 202, name
    assert set(uploaded(knowledge)) == {"evil.md"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Relatório 2024.pdf", "Relatório-2024.pdf"),
        ("~$aberto.docx", "aberto.docx"),
        ("a\x00b\nc.txt", "a-b-c.txt"),
        (f"{'é' * 300}.pdf", f"{'é' * 73}.pdf"),
        ('a:b*?"<>|c.md', "a-b-c.md"),
        (f"www.gov.br-{'a' * 300}", f"www.gov.br-{'a' * 139}"),
    ],
)
def test_names_are_such_that_a_collection_takes_them(given: str, kept: str) -> None:
    assert plain_name(given, 150) == kept


def test_a_link_becomes_a_link_file_of_the_uploads_source(sender: httpx.Client, knowledge: KnowledgeBase) -> None:
    first = sender.post("/kb/ingest/link", json={"url": "http://10.9.0.7:8080/norma-12?utm_source=x#parte"})
    again = sender.post("/kb/ingest/link", json={"url": "http://10.9.0.7:8080/norma-12"})
    assert (first.status_code, first.json()["status"], again.json()["status"]) == (202, "accepted", "unchanged")
    assert uploaded(knowledge) == {first.json()["name"]: b"[InternetShortcut]\nURL=http://10.9.0.7:8080/norma-12\n"}
    assert first.json()["name"].endswith(".url")
    assert get_source(knowledge.database, knowledge.settings, "uploads").due


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8080/",
        "http://[::1]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.8.0.1/",
        "http://[::ffff:10.8.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://user:secret@192.168.0.1/",
        "http://10.9.0.7:22/",
    ],
)
def test_links_to_addresses_that_are_not_public_are_refused(
    sender: httpx.Client, knowledge: KnowledgeBase, url: str
) -> None:
    response = sender.post("/kb/ingest/link", json={"url": url})
    assert response.status_code == 400, response.text
    assert response.json()["next_step"]
    assert "secret" not in response.text
    assert uploaded(knowledge) == {}


@pytest.mark.parametrize("url", ["ftp://example.org/x", "file:///etc/passwd", "not a link", "http://", "javascript:1"])
def test_what_is_no_web_address_is_422(sender: httpx.Client, url: str) -> None:
    assert sender.post("/kb/ingest/link", json={"url": url}).status_code == 422


def test_files_may_go_into_an_uploads_source_by_name_and_into_no_other_kind(
    sender: httpx.Client, knowledge: KnowledgeBase
) -> None:
    assert send(sender, "a.md", TEXT, source="regras").status_code == 422
    assert send(sender, "a.md", TEXT, source="missing").status_code == 404
    assert send(sender, "a.md", TEXT).status_code == 202
    assert send(sender, "b.md", TEXT, source="uploads").json()["source_id"] == "uploads"
    assert set(uploaded(knowledge)) == {"a.md", "b.md"}
