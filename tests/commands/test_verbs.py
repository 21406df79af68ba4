"""The commands as a script uses them: real processes, exit codes, one JSON object on the last line."""

import json
import os
import pty
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

VERBS = [
    ["source", "add"], ["source", "list"], ["source", "show"], ["source", "set"], ["source", "pause"],
    ["source", "remove"], ["run"],
    ["curate", "list"], ["curate", "approve"], ["curate", "reject"], ["ask"], ["search"], ["why"], ["doctor"], ["up"],
    ["demo"], ["serve"], ["model-server"], ["bench", "retrieval"], ["bench", "answers"],
]  # fmt: skip


def aion(*arguments: str, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "aion_assets", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def as_json(*arguments: str) -> Any:
    return json.loads(aion(*arguments, "--json").splitlines()[-1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "politicas"
    path.mkdir()
    (path / "entrega.md").write_text("# Entrega\n\nO prazo de entrega é de dez dias úteis para todo o Brasil.\n")
    return path


def test_every_verb_explains_itself(home: Path) -> None:
    from typer.testing import CliRunner

    from aion_assets.cli import build_app

    app = build_app()
    for verb in VERBS:
        shown = CliRunner().invoke(app, [*verb, "--help"])
        assert shown.exit_code == 0, verb
        assert "Usage" in shown.output


def test_a_source_is_added_listed_shown_paused_and_removed(home: Path, folder: Path) -> None:
    added = as_json("source", "add", str(folder), "--name", "Políticas", "--schedule", "6h")
    assert (added["source_id"], added["kind"], added["schedule_s"]) == ("politicas", "folder", 21_600)
    assert [item["due"] for item in as_json("source", "list")["sources"]] == ["never collected"]
    aion("source", "pause", "politicas")
    assert as_json("source", "show", "politicas")["paused"] is True
    assert "paused" in aion("run", "--source", "politicas", fails=True)
    changed = as_json("source", "set", "politicas", "--schedule", "2d", "--max-pages", "7", "--auto-approve")["changed"]
    assert changed == {"schedule_s": 172_800, "max_pages": 7, "auto_approve": True}
    assert as_json("source", "set", "politicas", "--schedule", "2d")["changed"] == {}
    assert "--help" in aion("source", "set", "politicas", fails=True)
    assert as_json("source", "pause", "politicas", "--resume")["paused"] is False
    assert "robots" in aion("source", "show", "politicas", "--outcome", "nothing", fails=True)
    assert as_json("source", "remove", "politicas")["removed"] is True
    assert as_json("source", "list")["sources"] == []


def test_in_a_terminal_a_source_is_removed_when_its_reader_says_so(home: Path, folder: Path) -> None:
    aion("source", "add", str(folder))
    remove = [sys.executable, "-m", "aion_assets", "source", "remove", "politicas"]
    keyboard, terminal = pty.openpty()
    for said, left in ((b"n\n", 1), (b"y\n", 0)):
        os.write(keyboard, said)
        subprocess.run(remove, stdin=terminal, capture_output=True, timeout=120, check=not left)
        assert len(as_json("source", "list")["sources"]) == left


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["source", "add", "/no/such/folder"], "/no/such/folder"),
        (["source", "add", "ftp://example.org/"], "ftp://example.org/"),
        (["source", "add", "/no/[docs]/:bug:"], "'/no/[docs]/:bug:'"),
        (["source", "show", "nowhere"], "nowhere"),
        (["source", "show", "[/b]"], "'[/b]'"),
        (["curate", "approve", "feedface"], "feedface"),
        (["why", "feedface"], "feedface"),
    ],
)
def test_bad_input_is_named_and_ends_with_status_1(home: Path, arguments: list[str], says: str) -> None:
    message = aion(*arguments, fails=True)
    assert says in message.replace("\n", "")
    assert "Traceback" not in message


def test_a_bad_schedule_names_the_value(home: Path, folder: Path) -> None:
    assert "'soon'" in aion("source", "add", str(folder), "--schedule", "soon", fails=True)


def test_with_json_an_error_is_one_object_on_the_last_line(home: Path) -> None:
    for arguments, status, says in (
        (
            ["source", "show", "nowhere"],
            1,
            {"error": "There is no source 'nowhere'.", "next_step": "Sources: none yet."},
        ),
        (["curate", "list", "--state", "foo"], 1, {"next_step": "States: pending, approved, rejected."}),
        (["ask", " "], 2, {"next_step": "See --help."}),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "aion_assets", *arguments, "--json"], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == status
        assert says.items() <= json.loads(done.stdout.splitlines()[-1]).items()
        assert "Traceback" not in done.stderr


def test_the_version_is_told(home: Path) -> None:
    assert aion("--version") == f"{version('aion')}\n"


def test_nothing_due_is_no_failure(home: Path) -> None:
    assert as_json("run") == {"succeeded": True, "release_id": "", "runs": []}


def test_a_question_before_any_release_says_what_to_do(home: Path) -> None:
    assert "aion run" in aion("ask", "Qual é o prazo?", fails=True)


def test_a_folder_becomes_an_answer_with_its_whole_history(home: Path, folder: Path) -> None:
    aion("source", "add", str(folder))
    assert as_json("run")["runs"][0]["steps"]["curated_documents"]["pending"] == 1
    waiting = as_json("curate", "list")
    assert waiting["total"] == 1
    assert as_json("curate", "approve", waiting["items"][0]["doc_id"])["changed"] == 1
    run = as_json("run")["runs"][0]
    assert run["steps"]["embeddings"]["embedded"] == 1

    answer = as_json("ask", "Qual é o prazo de entrega?")
    assert "dez dias úteis" in answer["text"]
    assert answer["citations"][0]["heading"] == "Entrega"
    hit = as_json("search", "prazo de entrega")["hits"][0]
    assert {"score", "url", "title", "page", "heading", "text", "chunk_id", "doc_id"} <= set(hit)
    history = json.dumps(as_json("why", answer["answer_id"]))
    assert run["run_id"] in history

    as_json("curate", "reject", hit["doc_id"])
    assert as_json("search", "prazo de entrega")["hits"] == []


def test_the_doctor_says_what_works(home: Path) -> None:
    findings = {item["what"]: item["state"] for item in as_json("doctor")["findings"]}
    assert findings["embedder"] == "good"
    assert findings["release"] == "missing"
