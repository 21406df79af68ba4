import subprocess
import sys
from pathlib import Path

import pytest
from pipeline import FILES, Pipeline, materialized, metadata_of

from aion_assets.core.curate.decisions import REJECTED, Verdict, decide
from aion_assets.core.sources.due import due_runs
from aion_assets.core.sources.store import remove_source
from aion_assets.defs.corpus import assets as corpus
from aion_assets.defs.knowledge_base import KnowledgeBaseResource


def test_one_run_carries_a_folder_to_a_release(pipeline: Pipeline) -> None:
    result = pipeline.run()
    assert set(materialized(result)) == {
        "crawled_pages", "parsed_documents", "curated_documents", "chunks", "embeddings", "lance_index",
        "retrieval_report", "release",
    }  # fmt: skip
    assert metadata_of(result, "crawled_pages")["stored"] == len(FILES)
    assert metadata_of(result, "release")["release_id"] == pipeline.release_id
    assert pipeline.found("quando podar a lavanda")[0] == "plantas.md"
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) == 8 and all(evaluation.passed for evaluation in evaluations)


def test_a_second_run_of_unchanged_files_does_nothing(filled: Pipeline) -> None:
    before, release = materialized(filled.run()), filled.release_id
    result = filled.run()
    assert materialized(result) == before
    assert metadata_of(result, "parsed_documents") | {"new": 0, "changed": 0} == metadata_of(result, "parsed_documents")
    assert metadata_of(result, "embeddings")["embedded"] == 0
    assert metadata_of(result, "lance_index") | {"new": 0, "changed": 0} == metadata_of(result, "lance_index")
    assert filled.release_id == release
    assert not metadata_of(result, "release")["published"]


def test_an_edited_file_embeds_only_its_changed_chunks(pipeline: Pipeline) -> None:
    parts = [f"## Parte {i}\n\n" + f"O tema {i} fala do jardim e do quintal. " * 20 for i in range(6)]
    (pipeline.folder / "longo.md").write_text("# Longo\n\n" + "\n\n".join(parts), "utf-8")
    first = pipeline.run()
    parts[3] = parts[3].replace("quintal", "pomar")
    (pipeline.folder / "longo.md").write_text("# Longo\n\n" + "\n\n".join(parts), "utf-8")
    second = pipeline.run()
    assert metadata_of(second, "parsed_documents")["changed"] == 1
    assert metadata_of(first, "embeddings")["embedded"] > 6
    assert 1 <= metadata_of(second, "embeddings")["embedded"] <= 2
    assert metadata_of(second, "release")["published"]
    assert "longo.md" in pipeline.found("pomar")


def test_a_vanished_file_a_rejected_document_and_a_removed_source_leave_no_hits(filled: Pipeline) -> None:
    question = "lavanda bicicleta tea preço"
    assert set(filled.found(question)) == set(FILES)
    (filled.folder / "plantas.md").unlink()
    filled.run()
    assert set(filled.found(question)) == set(FILES) - {"plantas.md"}

    document = next(row["doc_id"] for row in filled.lake.rows("documents", ["doc_id", "url"]) if "tea" in row["url"])
    decide(filled.database, filled.settings.tenant_id, [document], Verdict(REJECTED, "test"))
    assert "tea.html" not in filled.found(question)
    result = filled.run("recurate")
    assert "crawled_pages" not in materialized(result)
    assert not list(filled.lake.rows("chunks", ["doc_id"], f"doc_id = '{document}'"))

    remove_source(filled.database, filled.source_id)
    assert filled.found(question) == []
    filled.run("reindex")
    assert filled.found(question) == []
    for table in ("pages", "documents", "curated_documents", "chunks"):
        assert filled.lake.count(table) == 0, table


def test_the_definitions_load_without_any_heavy_library() -> None:
    heavy = ["torch", "openvino", "transformers", "lancedb", "scrapy", "trafilatura", "PIL", "sklearn", "pandas"]
    script = (
        "import sys; import aion_assets.definitions as d; assert d.defs.resolve_job_def('ingest');"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_another_chunker_cuts_everything_again_and_embeds_only_what_it_cut_otherwise(
    filled: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "CHUNK_VERSION", "another")
    version = corpus.pipeline_version(KnowledgeBaseResource())
    assert [due.why for due in due_runs(filled.database, filled.settings, version)] == ["pipeline changed"]
    result = filled.run()
    assert metadata_of(result, "parsed_documents")["changed"] == 0
    assert metadata_of(result, "chunks")["documents_changed"] == len(FILES)
    assert metadata_of(result, "embeddings")["embedded"] == 0
    assert not due_runs(filled.database, filled.settings, version)


def test_no_text_of_a_document_reaches_dagster(pipeline: Pipeline, home: Path) -> None:
    marker = "zwilumbra"
    for name in ("marked.md", "marked.html", "marked.csv", f"{marker}.txt"):
        (pipeline.folder / name).write_text(f"# {marker}\n\n<p>{marker}, {marker}</p>\n", "utf-8")
    (pipeline.folder / "broken.pdf").write_bytes(b"%PDF-1.7\n" + marker.encode())
    pipeline.run()
    assert any(marker in row["text"] for row in pipeline.lake.rows("chunks", ["text"]))
    records = [file for file in (home / "dagster").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in records) > 100_000
    assert [file for file in records if marker.encode() in file.read_bytes()] == []


def test_rows_that_break_a_claim_keep_the_release_before(filled: Pipeline) -> None:
    release = filled.release_id
    (filled.folder / "novo.md").write_text("# Novo\n\nUm texto que chegou agora.\n", "utf-8")
    filled.lengthen_a_vector()
    result = filled.run(may_fail=True)
    assert not result.success
    failed = [evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed]
    assert failed == ["every_chunk_is_embedded"]
    assert {"lance_index", "release"}.isdisjoint(materialized(result))
    assert filled.release_id == release

    # A run that leaves the failed step out meets the gate again.
    filled.drop_index_row()
    again = filled.run("reindex", only="release", may_fail=True)
    assert not again.success and not materialized(again)
    assert "GateBlockedError" in str([event.step_failure_data for event in again.all_events if event.is_step_failure])
    assert filled.release_id == release
    assert "novo.md" not in filled.found("texto que chegou agora")
