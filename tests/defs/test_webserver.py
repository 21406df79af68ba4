"""What an operator does in Dagster's user interface, done through the same API on the real webserver and daemon."""

import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from dagster_server import REPOSITORY, WORKSPACE, DagsterServer, dagster_server, start, wait_for
from pipeline import Pipeline, write_files
from slow_site import SlowSite, serve

from aion_assets.core.home import Home
from aion_assets.core.learn.trainings import CANCELLED, last_trainings
from aion_assets.core.settings import load_settings
from aion_assets.core.sources.store import pause_source, remove_source
from aion_assets.defs.corpus import assets as corpus
from aion_assets.local.foreground import dagster_home, dagster_instance

CRAWLER = "aion_assets.core.collect.web.child"
CORPUS = ["crawled_pages", "parsed_documents", "curated_documents", "chunks", "embeddings"]
SOURCES = ["files", "other"]
# Made when the watch or a person asks, never because something else is newer.
LEARNING = {
    "pair_dataset", "calibration", "ranker", "retriever_adapter", "retriever_report", "sft_dataset",
    "generator_adapter", "generator_report", "daily_metrics", "exports", "day_report", "release_report",
}  # fmt: skip


@dataclass
class Installation:
    server: DagsterServer
    pipeline: Pipeline
    folder: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A home with two folders as sources, and its running Dagster."""
    folder = tmp_path_factory.mktemp("installation")
    environment = {
        "AION_HOME": str(folder / "home"),
        "AION_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8",
        "DAGSTER_HOME": str(dagster_home()),
        "PYTHONPATH": str(REPOSITORY),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with dagster_instance() as instance:  # the databases are made by one process, as `aion up` does it
            pipeline = Pipeline(instance, load_settings(), write_files(folder / "files"))
            pipeline.source_id = pipeline.add_source(pipeline.folder, name="files")
            (folder / "other").mkdir()
            shutil.copy(pipeline.folder / "tea.html", folder / "other" / "cha.html")
            pipeline.add_source(folder / "other", name="other")
            with dagster_server(environment, folder) as server:
                yield Installation(server, pipeline, folder, environment)


@pytest.fixture
def server(installation: Installation) -> DagsterServer:
    return installation.server


@pytest.fixture(scope="module")
def collected(installation: Installation) -> list[dict[str, Any]]:
    """The runs that the sensor started for the sources, when they have ended."""
    server = installation.server
    wait_for(lambda: len(server.runs(sensor_name="source_due")) == len(SOURCES), "the runs of the sources")
    for run in server.runs(sensor_name="source_due"):
        server.wait(run["runId"])
    return server.runs(sensor_name="source_due")


@pytest.fixture(scope="module")
def backfills(installation: Installation, collected: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Backfill → its sources; asked for early, as Dagster looks for backfills twice a minute."""
    one = installation.server.backfill([["corpus", "crawled_pages"]], ["other"])
    return {one: ["other"], installation.server.backfill([["corpus", name] for name in CORPUS], SOURCES): SOURCES}


def test_lineage_leads_from_the_server_back_to_the_pages(server: DagsterServer) -> None:
    nodes = server.ask("{ assetNodes { assetKey { path } dependencyKeys { path } } }")
    parents = {
        "/".join(node["assetKey"]["path"]): {"/".join(key["path"]) for key in node["dependencyKeys"]} for node in nodes
    }
    assert parents["serving/release"] == {
        "index/lance_index", "eval/retrieval_report", "eval/retriever_report", "eval/generator_report",
    }  # fmt: skip
    assert parents["index/lance_index"] == {"corpus/embeddings"}
    ancestors, waiting = set(), {"serving/chat_api"}
    while waiting:
        ancestors |= waiting
        waiting = {parent for asset in waiting for parent in parents[asset]} - ancestors
    assert ancestors >= {f"corpus/{name}" for name in CORPUS}
    assert ancestors >= {"serving/interactions", "training/pair_dataset", "training/ranker"}, "and to what was learned"
    assert parents["corpus/crawled_pages"] == set()


def test_every_asset_says_what_it_is(server: DagsterServer) -> None:
    nodes = server.ask(
        """{ assetNodes { assetKey { path } groupName kinds description opVersion isExecutable
             owners { ... on TeamAssetOwner { team } } partitionDefinition { name } automationCondition { label }
             metadataEntries { label ... on TableSchemaMetadataEntry { schema { columns { description } } } } } }"""
    )
    assert len(nodes) == 22
    for node in nodes:
        name = node["assetKey"]["path"][-1]
        assert node["groupName"] and node["kinds"] and node["owners"] and node["description"], name
        if node["isExecutable"]:
            assert node["opVersion"], name
            by_itself = (node["automationCondition"] or {}).get("label")
            assert by_itself == (None if name == "crawled_pages" or name in LEARNING else "up_to_date"), name
        if name in CORPUS:
            assert node["partitionDefinition"]["name"] == "sources"
        if name in (*CORPUS, "lance_index"):
            shown = {entry["label"]: entry for entry in node["metadataEntries"]}
            assert "dagster/table_name" in shown, name
            assert all(column["description"] for column in shown["dagster/column_schema"]["schema"]["columns"])


def test_checks_sensors_jobs_and_schedules_are_described_and_switched_on(server: DagsterServer) -> None:
    nodes = server.ask(
        "{ assetNodes { assetChecksOrError { ... on AssetChecks { checks { name description blocking } } } } }"
    )
    checks = {check["name"]: check for node in nodes for check in node["assetChecksOrError"]["checks"]}
    assert {name for name, check in checks.items() if check["blocking"]} == {
        "chunk_ids_are_unique", "no_chunk_is_truncated", "every_chunk_is_embedded", "index_holds_every_chunk",
        "index_recall_is_high", "no_golden_document_is_learned", "candidate_is_better",
        "generator_is_better",
    }  # fmt: skip
    assert all(check["description"] for check in checks.values())
    (repository,) = server.ask(
        """{ repositoriesOrError { ... on RepositoryConnection { nodes {
             sensors { name description sensorState { status } } schedules { name description scheduleState { status } }
             jobs { name description } } } } }"""
    )["nodes"]
    running = {sensor["name"]: sensor["sensorState"]["status"] for sensor in repository["sensors"]}
    assert set(running) == {
        "automation", "source_due", "curation_decided", "source_removed", "uploads", "zombie_reaper", "run_failure",
        "interactions_recorded", "quality_drop_sensor", "operator_command_sensor", "release_regression_sensor",
        "alarms", "reports_due",
    }  # fmt: skip
    running |= {schedule["name"]: schedule["scheduleState"]["status"] for schedule in repository["schedules"]}
    assert set(running.values()) == {"RUNNING"}
    described = [*repository["sensors"], *repository["schedules"], *repository["jobs"]]
    assert [item["name"] for item in described if not item["description"]] == ["__ASSET_JOB"]


def test_a_second_daemon_of_the_same_home_is_refused(installation: Installation) -> None:
    log = installation.folder / "second.log"
    second = start([sys.executable, "-m", "dagster._daemon", "run", "-w", WORKSPACE], installation.environment, log)
    assert second.wait(60) != 0
    assert f"A Dagster daemon works on {installation.environment['AION_HOME']} already." in log.read_text("utf-8")


def test_new_sources_reach_a_release_by_themselves(installation: Installation, collected: list[dict[str, Any]]) -> None:
    assert [run["status"] for run in collected] == ["SUCCESS"] * len(SOURCES)
    assert sorted(tags(run)["dagster/partition"] for run in collected) == SOURCES
    assert {tags(run)["aion/why"] for run in collected} == {"never collected"}
    assert installation.pipeline.release_id
    events = installation.server.ask(
        """{ assetOrError(assetKey: {path: ["serving", "release"]}) { ... on Asset { assetMaterializations(limit: 1) {
             metadataEntries { label ... on UrlMetadataEntry { url } ... on TextMetadataEntry { text } } } } } }"""
    )["assetMaterializations"]
    told = {entry["label"]: entry for entry in events[0]["metadataEntries"]}
    assert told["release_id"]["text"] == installation.pipeline.release_id
    assert told["chat"]["url"].startswith("http://127.0.0.1:")


_CHECKS = """{ assetNodes { assetKey { path } assetChecksOrError { ... on AssetChecks { checks { name
    executionForLatestMaterialization { status evaluation { targetMaterialization { runId } } } } } } } }"""


def test_the_newest_look_at_each_claim_is_shown_whichever_run_ends_last(
    installation: Installation, collected: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    embed_source, others = corpus.embed_source, []

    def embed_after_another_run(*arguments: Any) -> Any:
        if not others:
            others.append("")
            others[0] = installation.pipeline.run(source_id="other").run_id
        return embed_source(*arguments)

    monkeypatch.setattr(corpus, "embed_source", embed_after_another_run)
    last = installation.pipeline.run(source_id="files").run_id
    of_asset = {
        node["assetKey"]["path"][-1]: node["assetChecksOrError"]["checks"]
        for node in installation.server.ask(_CHECKS)
        if node["assetChecksOrError"]["checks"] and node["assetKey"]["path"][-1] not in LEARNING
    }
    assert others[0] and sum(map(len, of_asset.values())) == 8
    for asset in ("embeddings", "lance_index", "release"):
        for check in of_asset[asset]:
            shown = check["executionForLatestMaterialization"]
            assert shown is not None, check["name"]
            assert shown["status"] == "SUCCEEDED"
            assert shown["evaluation"]["targetMaterialization"]["runId"] == last


_EVALUATIONS = """{ assetConditionEvaluationRecordsOrError(limit: 30, assetKey: {path: ["corpus", "chunks"]}) {
    ... on AssetConditionEvaluationRecords { records { evaluationId numRequested evaluationNodes { numTrue } } } } }"""


def test_the_automation_tab_opens_after_a_source_was_removed(
    installation: Installation, collected: list[dict[str, Any]]
) -> None:
    server, pipeline = installation.server, installation.pipeline

    def newest() -> str:
        return str(server.ask(_EVALUATIONS)["records"][0]["evaluationId"])

    def opens() -> bool:
        try:
            server.ask(_EVALUATIONS)
        except AssertionError:  # an error of the query
            return False
        return True

    before = newest()
    (installation.folder / "gone").mkdir()
    source = pipeline.add_source(installation.folder / "gone", name="gone")
    pause_source(pipeline.database, source, paused=True)
    wait_for(lambda: newest() != before, "an evaluation that names it")
    remove_source(pipeline.database, source)
    wait_for(lambda: source not in pipeline.instance.get_dynamic_partitions("sources"), "the end of its partition")
    wait_for(opens, "the evaluations")


def test_cancelling_a_crawl_ends_its_processes(installation: Installation, backfills: dict[str, list[str]]) -> None:
    server, pipeline = installation.server, installation.pipeline
    with serve(SlowSite(pages=500, pause_s=1.0)) as site:
        source = pipeline.add_source(site.root, name="slow")
        pause_source(pipeline.database, source, paused=True)  # so that no sensor starts it besides
        run_id = server.launch("ingest", source)
        wait_for(lambda: site.served > 10, "the crawl", 120.0)  # more than are under way at a time
        assert processes_of(installation, CRAWLER)
        server.terminate(run_id)
        assert server.wait(run_id, timeout_s=20.0) == "CANCELED"
        wait_for(lambda: not processes_of(installation, CRAWLER), "the crawler's end", 5.0)
        stored = pipeline.lake.count("pages", f"source_id = '{source}'")
        assert 0 < stored < site.pages, "what was fetched stays"


def test_cancelling_a_training_ends_its_trainer(installation: Installation, collected: list[dict[str, Any]]) -> None:
    server, home = installation.server, Home(installation.pipeline.settings)
    run_id = server.launch("learn_ranker")
    wait_for(lambda: processes_of(installation, "trainer"), "the trainer", 120.0)
    (trainer,) = processes_of(installation, "trainer")
    trainer.suspend()  # so that it cannot end by itself before it is told to
    asked = time.monotonic()
    server.terminate(run_id)
    trainer.resume()
    assert server.wait(run_id, timeout_s=30.0) == "CANCELED"
    wait_for(lambda: not processes_of(installation, "trainer"), "the trainer's end", 30.0 - (time.monotonic() - asked))
    newest = last_trainings(home)[0]
    assert (newest.run_id, newest.state, newest.active) == (run_id, CANCELLED, None), "and another one may start"


def test_backfills_of_one_and_of_all_sources(server: DagsterServer, backfills: dict[str, list[str]]) -> None:
    for backfill, wanted in backfills.items():
        wait_for(lambda: len(server.runs(backfill=backfill)) == len(wanted), "the backfill's runs", 90.0)  # noqa: B023
        runs = server.runs(backfill=backfill)
        assert [server.wait(run["runId"]) for run in runs] == ["SUCCESS"] * len(wanted)
        assert sorted(tags(run)["dagster/partition"] for run in runs) == wanted


def test_a_blocked_check_is_shown_and_keeps_the_release_before(installation: Installation) -> None:
    server, pipeline = installation.server, installation.pipeline
    release = pipeline.release_id
    pipeline.lengthen_a_vector()
    run_id = server.launch("ingest", "files")
    assert server.wait(run_id) == "FAILURE"
    executions = server.ask(
        """{ assetCheckExecutions(assetKey: {path: ["corpus", "embeddings"]}, checkName: "every_chunk_is_embedded",
             limit: 20) { runId status evaluation { description } } }"""
    )
    (execution,) = [execution for execution in executions if execution["runId"] == run_id]
    assert execution["status"] == "FAILED"
    assert "not of length 1" in execution["evaluation"]["description"]
    steps = server.ask(
        "query ($id: ID!) { runOrError(runId: $id) { ... on Run { stepStats { stepKey status } } } }", id=run_id
    )["stepStats"]
    ran = {step["stepKey"] for step in steps if step["status"] == "SUCCESS"}
    assert "corpus__embeddings" in ran and not ran & {"index__lance_index", "serving__release"}
    assert pipeline.release_id == release


def tags(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["tags"]}


def processes_of(installation: Installation, module: str) -> list[psutil.Process]:
    """Those of this home that run the module."""
    found = []
    for process in psutil.process_iter():
        try:
            if module in process.cmdline():
                home = process.environ().get("AION_HOME")
                found += [process] if home == installation.environment["AION_HOME"] else []
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
