import json
from collections import Counter
from pathlib import Path

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import APPROVED
from aion_assets.core.curate.queue import read_queue
from aion_assets.core.lake.store import Lake
from aion_assets.core.records import Source
from aion_assets.core.steps import claims


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "f", a_md=article("lavender", 20), b_md=article("bicycles", 20))


@pytest.fixture
def source(workbench: Workbench, folder: Path) -> Source:
    return workbench.add(folder)


def _stamps(bench: Workbench) -> dict[str, tuple[str, str]]:
    return {
        row["chunk_id"]: (row["row_hash"], row["run_id"]) for row in bench.rows("chunks", "chunk_id row_hash run_id")
    }


def test_an_edited_document_rewrites_only_its_own_chunks(workbench: Workbench, folder: Path, source: Source) -> None:
    workbench.to_chunks(source)
    before, of_doc = _stamps(workbench), Counter(row["doc_id"] for row in workbench.rows("chunks", "doc_id"))
    text = (folder / "a.md").read_text("utf-8")
    (folder / "a.md").write_text(text.replace("Section 19", "Section nineteen"), "utf-8")
    workbench.run_id = "run-2"
    report = workbench.to_chunks(source)["chunks"]
    after, docs = _stamps(workbench), workbench.docs(source)
    rewritten = {key for key, stamp in after.items() if stamp[1] == "run-2"}
    assert len(rewritten) == of_doc[docs["a.md"]]
    assert len(set(after) - set(before)) == 1, "one chunk has another text"
    assert len(set(before) - set(after)) == report.counts["orphaned"] == 1
    assert (report.counts["documents_changed"], report.counts["documents_unchanged"]) == (1, 1)


def test_unchanged_documents_cost_no_write(workbench: Workbench, source: Source) -> None:
    first = workbench.to_chunks(source)["chunks"]
    version = workbench.lake.table("chunks").version
    again = workbench.to_chunks(source)["chunks"]
    assert again.data_version == first.data_version
    assert workbench.lake.table("chunks").version == version


def test_another_chunker_cuts_everything_anew(workbench: Workbench, source: Source) -> None:
    first = workbench.to_chunks(source)["chunks"]
    again = workbench.chunk(source, code="code-2")
    assert again.counts["documents_changed"] == 2
    assert again.data_version == first.data_version, "equal chunks need no new vectors and no new index rows"


@pytest.mark.parametrize("stage", ["before the write", "between write and delete"])
def test_a_half_cut_document_is_repaired(
    workbench: Workbench, folder: Path, source: Source, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    workbench.to_chunks(source)
    write_files(folder, a_md=article("roses", 20))
    workbench.collect(source)
    workbench.parse(source)
    workbench.curate(source)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(Lake, "upsert" if stage == "before the write" else "delete", killed)
        workbench.chunk(source)
    halves = {row["doc_version"] for row in workbench.rows("chunks", "doc_version")}
    assert len(halves) == (2 if stage == "before the write" else 3)
    workbench.chunk(source)
    wanted = {row["content_hash"] for row in workbench.rows("curated_documents", "content_hash")}
    assert {row["doc_version"] for row in workbench.rows("chunks", "doc_version")} == wanted
    assert claims.chunk_ids_are_unique(workbench.lake).holds


def test_another_address_or_language_reaches_the_index_and_the_queue_and_embeds_nothing(
    workbench: Workbench, tmp_path: Path
) -> None:
    record = {"_id": "1", "url": "https://example.org/old", "lang": "en", "title": "ABC 500", "text": "ABC 500 XR 2000"}
    file = tmp_path / "parts.jsonl"
    file.write_text(json.dumps(record) + "\n", "utf-8")
    source = workbench.add(file, allow_domains=["example.org"])
    before = workbench.run(source)
    ids = workbench.rows("chunks", "chunk_id doc_id")
    for change in ({"url": "https://example.org/new"}, {"lang": "pt"}):
        record |= change
        file.write_text(json.dumps(record) + "\n", "utf-8")
        after = workbench.run(source)
        for step in ("documents", "curated", "chunks", "embeddings", "knowledge"):
            assert after[step].data_version != before[step].data_version, f"{step}: what comes after it must follow"
        assert after["embeddings"].counts["embedded"] == 0
        shown = [*workbench.rows(workbench.knowledge_table, "url lang"), *workbench.rows("chunks", "url lang")]
        _, (waiting,) = read_queue(workbench.database, workbench.tenant_id, APPROVED)
        assert all(row == {"url": record["url"], "lang": record["lang"]} for row in shown)
        assert (waiting["url"], waiting["lang"]) == (record["url"], record["lang"])
        before = after
    assert workbench.rows("chunks", "chunk_id doc_id") == ids
    assert workbench.run(source)["chunks"].counts["documents_unchanged"] == 1


def test_a_document_that_cannot_be_read_any_more_has_no_chunks(
    workbench: Workbench, folder: Path, source: Source
) -> None:
    """A run was killed after parsing, and then the chunks alone are made anew."""
    workbench.to_chunks(source)
    (folder / "a.md").write_bytes(b"%PDF-1.4 broken")
    workbench.collect(source)
    assert workbench.parse(source).counts["quarantined"] == 1
    workbench.chunk(source, code="code-2")
    assert {row["url"].rpartition("/")[2] for row in workbench.rows("chunks", "url")} == {"b.md"}


def test_a_repeated_paragraph_keeps_each_of_its_places(workbench: Workbench, tmp_path: Path) -> None:
    paragraph = "The same long paragraph stands here twice, word for word. " * 15
    text = f"# One\n\n{paragraph}\n\n# Two\n\n{paragraph}"
    source = workbench.add(write_files(tmp_path / "twice", a_md=text))
    workbench.to_chunks(source)
    rows = workbench.rows("chunks", "chunk_id text text_hash")
    assert len({row["chunk_id"] for row in rows}) == len(rows)
    assert claims.no_chunk_is_truncated(workbench.lake, workbench.model).holds
