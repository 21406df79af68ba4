from pathlib import Path

import numpy as np
import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.lake import store as lake_module
from aion_assets.core.lake.tables import CHUNKS, PAGES, LakeTable
from aion_assets.core.records import Source
from aion_assets.core.steps import claims


@pytest.fixture(autouse=True)
def _many_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds of a few rows in many ranges holds of many rows."""
    monkeypatch.setattr(lake_module, "_RANGE_ROWS", 2)


@pytest.fixture
def source(workbench: Workbench, tmp_path: Path) -> Source:
    made = workbench.add(write_files(tmp_path / "f", a_md=article("lavender", 4), b_md=article("bicycles", 4)))
    workbench.run(made)
    return made


def test_sound_tables_pass_every_claim(workbench: Workbench, source: Source) -> None:
    lake, model = workbench.lake, workbench.model
    for finding in (
        claims.most_locations_answered(lake),
        claims.every_stored_page_has_an_outcome(lake),
        claims.chunk_ids_are_unique(lake),
        claims.no_chunk_is_truncated(lake, model),
        claims.every_chunk_is_embedded(lake, model.embedder_id),
        claims.index_holds_every_chunk(lake, model.embedder_id, frozenset()),
        claims.index_recall_is_high(lake, model.embedder_id),
        claims.smoke_query_finds_itself(lake.table(workbench.knowledge_table)),
    ):
        assert finding.holds, finding.says


def test_empty_tables_pass_every_claim(workbench: Workbench) -> None:
    lake, model = workbench.lake, workbench.model
    assert claims.most_locations_answered(lake).holds
    assert claims.every_stored_page_has_an_outcome(lake).holds
    assert claims.chunk_ids_are_unique(lake).holds
    assert claims.every_chunk_is_embedded(lake, model.embedder_id).holds
    assert claims.index_holds_every_chunk(lake, model.embedder_id, frozenset()).holds


def test_a_source_of_which_much_failed_is_named(workbench: Workbench, source: Source) -> None:
    row = next(workbench.lake.rows("pages", PAGES.schema.names))
    workbench.lake.upsert(PAGES, [row | {"outcome": "error"}])
    finding = claims.most_locations_answered(workbench.lake)
    assert not finding.holds and f"In source {source.source_id}, 1 of 2" in finding.says


def test_a_page_without_a_document_is_counted(workbench: Workbench, source: Source) -> None:
    workbench.lake.delete("documents", "doc_id", list(workbench.docs(source).values())[:1])
    assert claims.every_stored_page_has_an_outcome(workbench.lake).figures == {"stored": 2, "missing": 1}


def test_a_chunk_id_that_occurs_twice_is_found(workbench: Workbench, source: Source) -> None:
    row = next(workbench.lake.rows("chunks", CHUNKS.schema.names))
    with workbench.lake.changing("chunks") as table:
        table.add([row, row])
    finding = claims.chunk_ids_are_unique(workbench.lake)
    assert not finding.holds and finding.figures["twice"] == 2


def test_a_chunk_that_the_embedder_would_cut_is_found(workbench: Workbench, source: Source) -> None:
    row = next(workbench.lake.rows("chunks", CHUNKS.schema.names))
    workbench.lake.upsert(CHUNKS, [row | {"embed_text": "lavender " * 400}])
    assert not claims.no_chunk_is_truncated(workbench.lake, workbench.model).holds


def test_a_missing_vector_and_one_of_another_length_are_found(
    workbench: Workbench, source: Source, tmp_path: Path
) -> None:
    lake, table, embedder_id = workbench.lake, workbench.embeddings_table, workbench.model.embedder_id
    schema = lake.table(table).schema
    row = next(lake.rows(table, schema.names))
    lake.upsert(LakeTable(table, "embedding_key", schema), [row | {"vector": list(2 * np.array(row["vector"]))}])
    assert "1 sampled vectors" in claims.every_chunk_is_embedded(lake, embedder_id).says
    lake.delete(table, "embedding_key", [row["embedding_key"]])
    assert claims.every_chunk_is_embedded(lake, embedder_id).figures["missing"] == 1
    other = workbench.add(write_files(tmp_path / "o", o_md=article("tea")))
    assert claims.every_chunk_is_embedded(lake, embedder_id, other.source_id).holds, "another source's gap is its own"
