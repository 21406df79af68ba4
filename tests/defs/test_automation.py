"""What the automation sensor would start, asked of the real condition after real runs."""

import dagster as dg
import pytest
from pipeline import Pipeline, write_files

from aion_assets.definitions import defs


class Automation:
    """Ticks of the automation sensor, one after another."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._cursor = None

    def tick(self) -> set[str]:
        """Names of the assets that it would start."""
        result = dg.evaluate_automation_conditions(defs, self._instance, dg.AssetSelection.all(), cursor=self._cursor)
        self._cursor = result.cursor
        return {evaluation.key.path[-1] for evaluation in result.results if not evaluation.true_subset.is_empty}


AFTER_EMBEDDINGS = {"lance_index", "retrieval_report", "release"}


@pytest.fixture
def automation(filled: Pipeline) -> Automation:
    ticking = Automation(filled.instance)
    assert ticking.tick() == set(), "the first look at what is up to date starts nothing"
    return ticking


def test_whole_runs_start_nothing_more(filled: Pipeline, automation: Automation) -> None:
    (filled.folder / "novo.md").write_text("# Novo\n\nUm texto que chegou agora.\n", "utf-8")
    other = write_files(filled.folder.parent / "other")
    (other / "outro.md").write_text("# Outro\n\nUm texto de outra pasta.\n", "utf-8")
    filled.run()
    filled.run(source_id=filled.add_source(other, name="other"))
    assert [automation.tick() for _ in range(3)] == [set(), set(), set()], "the run has carried its data on itself"


def test_identical_data_starts_nothing(filled: Pipeline, automation: Automation) -> None:
    filled.run("ingest_corpus")
    assert automation.tick() == set()


def test_new_vectors_start_the_index_once(filled: Pipeline, automation: Automation) -> None:
    (filled.folder / "novo.md").write_text("# Novo\n\nUm texto que chegou agora.\n", "utf-8")
    filled.run("ingest_corpus")
    assert automation.tick() == AFTER_EMBEDDINGS
    filled.run("reindex")
    assert [automation.tick() for _ in range(3)] == [set(), set(), set()]


def test_pages_collected_alone_start_all_that_follows(filled: Pipeline, automation: Automation) -> None:
    (filled.folder / "novo.md").write_text("# Novo\n\nUm texto que chegou agora.\n", "utf-8")
    filled.run(only="crawled_pages")
    assert automation.tick() == {"parsed_documents", "curated_documents", "chunks", "embeddings"}
    filled.run("recurate_corpus")
    assert automation.tick() == AFTER_EMBEDDINGS


def test_data_that_failed_a_blocking_check_is_not_built_upon(filled: Pipeline, automation: Automation) -> None:
    (filled.folder / "novo.md").write_text("# Novo\n\nUm texto que chegou agora.\n", "utf-8")
    filled.run("ingest_corpus")
    filled.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(["corpus", "embeddings"]), check_name="every_chunk_is_embedded", passed=False
        )
    )
    assert automation.tick() == set()
