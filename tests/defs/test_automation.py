"""What the automation sensor would start, asked of the real condition after real runs."""

from typing import Any

import dagster as dg
import pytest
from pipeline import Pipeline, write_files

from aion_assets.definitions import defs
from aion_assets.defs.corpus import assets as corpus
from aion_assets.defs.serving import assets as serving
from aion_assets.local.foreground import run_due


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


def look_during(monkeypatch: pytest.MonkeyPatch, automation: Automation) -> list[set[str]]:
    """What automation would start while a run makes vectors, at every run that follows."""
    seen: list[set[str]] = []
    embed_source = corpus.embed_source

    def look_and_embed(*arguments: Any) -> Any:
        seen.append(automation.tick())
        return embed_source(*arguments)

    monkeypatch.setattr(corpus, "embed_source", look_and_embed)
    return seen


@pytest.mark.parametrize("carried_on", ["ingest", "aion run"])
def test_a_run_under_way_is_not_helped(
    filled: Pipeline, automation: Automation, monkeypatch: pytest.MonkeyPatch, carried_on: str
) -> None:
    seen = look_during(monkeypatch, automation)
    added = []
    for name in ("one", "two"):
        folder = write_files(filled.folder.parent / name)
        (folder / "novo.md").write_text(f"# Novo\n\nUm texto da fonte {name} que ninguém tem.\n", "utf-8")
        added.append(filled.add_source(folder, name=name))
    if carried_on == "ingest":
        for source_id in added:
            filled.run(source_id=source_id)
    else:
        assert run_due(quiet=True).succeeded
    assert seen == [set(), set()]
    assert [automation.tick() for _ in range(3)] == [set(), set(), set()]


def test_what_a_sensor_carries_on_is_not_started_besides(filled: Pipeline, automation: Automation) -> None:
    (filled.folder / "novo.md").write_text("# Novo\n\nUm texto que chegou agora.\n", "utf-8")
    filled.run(only="crawled_pages")
    filled.run("recurate")
    assert [automation.tick() for _ in range(2)] == [set(), set()]


def test_the_pages_of_a_new_source_collected_alone_are_built_upon(filled: Pipeline, automation: Automation) -> None:
    source = filled.add_source(write_files(filled.folder.parent / "other"), name="other")
    assert automation.tick() == set(), "nothing is there to build upon"
    filled.run(only="crawled_pages", source_id=source)
    assert automation.tick() == {"parsed_documents", "curated_documents", "chunks", "embeddings"}


def test_what_was_wiped_is_made_again(filled: Pipeline, automation: Automation) -> None:
    filled.instance.wipe_assets([dg.AssetKey(["eval", "retrieval_report"])])
    assert automation.tick() == {"retrieval_report", "release"}


def test_a_run_that_fails_is_not_started_over_and_over(
    filled: Pipeline, automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def fail(*_: Any) -> None:
        looks.append(automation.tick())
        raise ValueError("no room")

    monkeypatch.setattr(serving, "release_index", fail)
    for _ in range(2):
        filled.run("reindex", only="release", may_fail=True)
        looks.append(automation.tick())
    assert looks == [set()] * 4
