"""What `aion run` tells of its work."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from workbench import article, write_files

from aion_assets.local.foreground import dagster_instance, summary_line

_AION = [sys.executable, "-m", "aion_assets"]


def _aion(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*_AION, *arguments], capture_output=True, text=True, timeout=120)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_start_page_that_cannot_be_read_fails_the_run_and_not_the_other_sources(home: Path, tmp_path: Path) -> None:
    _aion("source", "add", f"http://127.0.0.1:{_closed_port()}/", "--name", "down")
    _aion("source", "add", str(write_files(tmp_path / "up", a_md=article("lavender"))), "--name", "up")
    run = _aion("run")
    assert run.returncode == 1
    assert "1 error (http://127.0.0.1:" in run.stderr
    assert "the start page could not be read" in run.stderr
    assert "1 stored, 0 unchanged" in run.stderr

    listed = json.loads(_aion("source", "list", "--json").stdout.splitlines()[-1])["sources"]
    failures = {item["source_id"]: item["failure"] for item in listed}
    assert failures["up"] == "" and failures["down"].startswith("the start page could not be read: ")
    assert "the start page" in _aion("source", "list").stdout


def test_after_an_upgrade_the_index_is_made_anew_though_no_source_is_due(home: Path, tmp_path: Path) -> None:
    _aion("source", "add", str(write_files(tmp_path / "docs", a_md=article("lavender"))), "--auto-approve")
    assert _aion("run").returncode == 0
    assert "Nothing is due." in _aion("run").stderr
    with dagster_instance() as instance:
        made_by_older_code = dg.AssetMaterialization(
            ["eval", "retrieval_report"], tags={"dagster/code_version": "older"}
        )
        instance.report_runless_asset_event(made_by_older_code)
    upgraded = _aion("run", "--json")
    assert [run["job"] for run in json.loads(upgraded.stdout.splitlines()[-1])["runs"]] == ["reindex"]
    assert "Nothing is due." in _aion("run").stderr


@pytest.mark.usefixtures("home")
def test_what_failed_is_told_as_it_is_and_not_taken_for_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "[docs] :bug: [b]"
    monkeypatch.setenv("AION_HOME", str(home))
    _aion("source", "add", str(write_files(tmp_path / "files", a_md=article("lavender"))))
    (home / "lake").write_text("no folder")
    run = _aion("run")
    assert run.returncode == 1 and str(home) in run.stderr
    assert str(home) in _aion("doctor").stdout


def test_a_broken_table_is_told_with_what_to_do_about_it(home: Path, tmp_path: Path) -> None:
    _aion("source", "add", str(write_files(tmp_path / "files", a_md=article("lavender"))), "--name", "garden")
    assert _aion("run").returncode == 0
    for data in (home / "lake" / "pages.lance" / "data").iterdir():
        data.write_bytes(b"no table")
    run = _aion("run", "--source", "garden", "--json")
    assert run.returncode == 1
    (told, *_) = json.loads(run.stdout.splitlines()[-1])["runs"][0]["errors"]
    assert told.startswith("corpus__crawled_pages: Table 'pages'") and ".rs:" not in told


def test_the_summary_names_what_was_not_taken_with_the_first_reason_and_counts_what_was_parsed() -> None:
    pages = {"stored": 2, "unchanged": 15, "error": 1, "capped": 4, "off-domain": 9, "note/first_trouble": "x: y"}
    documents = {"new": 1, "changed": 1, "unchanged": 15, "parsed": 16, "quarantined": 1}
    line = summary_line({"crawled_pages": pages, "parsed_documents": documents})
    assert line == "  2 stored, 15 unchanged, 1 error, 4 capped (x: y) · 2 parsed, 15 unchanged, 1 quarantined"
