import subprocess
import sys

from pipeline import FILES, Pipeline, materialized, metadata_of

from aion_assets.core import curation, sources


def test_one_run_carries_a_folder_to_a_release(pipeline: Pipeline) -> None:
    result = pipeline.run()
    assert result.success
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
    assert result.success
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
    assert filled.run().success
    assert set(filled.found(question)) == set(FILES) - {"plantas.md"}

    document = next(row["doc_id"] for row in filled.lake.rows("documents", ["doc_id", "url"]) if "tea" in row["url"])
    curation.decide(filled.database, filled.settings.tenant_id, [document], curation.REJECTED, "test")
    assert "tea.html" not in filled.found(question)
    result = filled.run("recurate")
    assert result.success and "crawled_pages" not in materialized(result)
    assert not list(filled.lake.rows("chunks", ["doc_id"], f"doc_id = '{document}'"))

    sources.remove_source(filled.database, filled.source_id)
    assert filled.found(question) == []
    assert filled.run("reindex").success
    assert filled.found(question) == []
    for table in ("pages", "documents", "curated_documents", "chunks"):
        assert filled.lake.count(table) == 0, table


def test_the_definitions_load_without_any_heavy_library() -> None:
    heavy = ["torch", "transformers", "lancedb", "scrapy", "trafilatura", "PIL", "sklearn", "pandas"]
    script = (
        "import sys; import aion_assets.definitions as d; assert d.defs.resolve_job_def('ingest');"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
