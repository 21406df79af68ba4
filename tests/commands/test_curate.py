"""The curator's verbs, in this process."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner
from workbench import Workbench, write_files

from aion_assets.cli import build_app
from aion_assets.core.settings import Settings


def test_the_queue_shows_what_the_parser_remarked(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    folder = write_files(tmp_path / "files", plants_md="# Plants\n\nWater them on Mondays and on Thursdays.")
    bench = Workbench(settings)
    source = bench.add(folder, auto_approve=False)

    def queue(*options: str) -> str:
        bench.to_chunks(source)
        return CliRunner().invoke(build_app(), ["curate", "list", *options], catch_exceptions=False).output

    assert "remark" not in queue()
    write_files(
        folder, tools_pdf="<!doctype html><html><body><h1>Tools</h1><p>Oil them every spring.</p></body></html>"
    )
    items = json.loads(queue("--json").splitlines()[-1])["items"]
    assert {item["title"]: item["remark"] for item in items} == {
        "Plants": "",
        "Tools": "named pdf, but its content is html",
    }
    assert "named pdf, but its content is html" in queue()


def test_a_title_is_shown_as_it_is_and_not_taken_for_markup(settings: Settings, tmp_path: Path) -> None:
    bench = Workbench(settings)
    folder = write_files(tmp_path / "[files]", a_md="# [red]Rules[/b] of :bug: [draft]\n\nWater them on Mondays.")
    bench.to_chunks(bench.add(folder, name="rules", auto_approve=False))
    for arguments, says in (
        (["curate", "list"], "  [red]Rules[/b] of :bug: [draft]  "),
        (["source", "list"], f"  {folder}  "),
        (["source", "show", "rules"], f"  {folder}\n"),
    ):
        assert says in CliRunner().invoke(build_app(), arguments, catch_exceptions=False).output


def test_the_table_is_whole_in_a_pipe_and_its_ids_are_taken(settings: Settings, tmp_path: Path) -> None:
    title = "A title that is longer than the eighty columns of a terminal, and goes on for a while after that"
    bench = Workbench(settings)
    source = bench.add(write_files(tmp_path / "files", a_md=f"# {title}\n\nWater them on Mondays."), auto_approve=False)
    bench.to_chunks(source)
    listed = CliRunner().invoke(build_app(), ["curate", "list"], catch_exceptions=False).output.splitlines()
    assert len(listed) == 3 and title in listed[-1]
    decided = CliRunner().invoke(build_app(), ["curate", "approve", listed[-1].split()[0]], catch_exceptions=False)
    assert decided.output == "1 document approved.\n"
