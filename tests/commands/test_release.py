"""`aion release`: releases are listed, compared and rolled back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from workbench import Workbench, article, write_files

from aion_assets.cli import build_app
from aion_assets.core.errors import ReleaseError
from aion_assets.core.release.releases import Publication, current_release, publish
from aion_assets.core.settings import Settings


@pytest.fixture
def bench(settings: Settings, tmp_path: Path) -> Workbench:
    made = Workbench(settings)
    source = made.add(write_files(tmp_path / "docs", a_md=article("lavender")))
    made.run(source)
    write_files(tmp_path / "docs", b_md=article("bicycles"))
    made.run(source)
    return made


def _aion(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(build_app(), ["release", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return found


def test_a_list_tells_which_serves_and_which_can_serve_again(bench: Workbench) -> None:
    newest, first = _aion("list")["releases"]
    assert (newest["current"], first["current"]) == (True, False)
    assert first["can_serve"] and newest["model_release_id"] == first["model_release_id"]
    shown = CliRunner().invoke(build_app(), ["release", "list"]).output
    assert newest["release_id"][:12] in shown and "serves" in shown and "can serve" in shown


def test_what_differs_between_two_releases_is_told_and_nothing_else(bench: Workbench) -> None:
    newest, first = (item["release_id"] for item in _aion("list")["releases"])
    changed = _aion("diff", first[:12], newest[:12])["changed"]
    assert changed["index/rows"] == {"before": "1", "after": "2"}
    assert not any(name.startswith("models/") for name in changed)
    assert _aion("show", first[:8])["models"]["passage_embedder"]["id"] == bench.model.embedder_id


def test_a_roll_back_brings_the_release_before_and_then_says_that_there_is_none(bench: Workbench) -> None:
    first = _aion("list")["releases"][1]["release_id"]
    assert _aion("rollback")["release_id"] == first
    assert bench.found("bicycles handbook") == ["a.md"]
    with pytest.raises(ReleaseError, match="no release of before"):
        _aion("rollback")


def test_models_go_back_without_the_content(bench: Workbench) -> None:
    good = current_release(bench.database, bench.tenant_id)
    publish(bench.home, good.index, replace(good.models, prompt="bad"), Publication("test"))
    assert _aion("rollback", "--models")["model_release_id"] == good.model_release_id
    assert set(bench.found("handbook")) == {"a.md", "b.md"}
