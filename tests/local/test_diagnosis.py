from pathlib import Path

import pytest
from workbench import Workbench, article, write_files

from aion_assets.core.release import releases
from aion_assets.core.settings import Settings
from aion_assets.local.diagnosis import examine


def test_a_release_whose_rows_are_gone_is_broken_and_the_rest_is_still_examined(
    settings: Settings, tmp_path: Path
) -> None:
    bench = Workbench(settings)
    bench.run(bench.add(write_files(tmp_path / "f", a_md=article("lavender"))))
    assert {finding.what: finding.state for finding in examine()}["release"] == "good"
    manifest = releases.current_release(bench.database, bench.tenant_id)
    with bench.lake.changing(bench.knowledge_table) as table:
        table.tags.delete(manifest.tag)
    found = {finding.what: finding for finding in examine()}
    assert found["release"].state == "broken" and bench.knowledge_table in found["release"].detail
    assert found["database"].state == found["tables"].state == "good"
    bench.database.engine.dispose()


def test_settings_that_cannot_be_used_are_a_finding(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AION_DATABASE_URL", "foo")
    (finding,) = examine()
    assert (finding.what, finding.state) == ("settings", "broken")
    assert "AION_DATABASE_URL" in finding.detail


def test_a_home_that_is_no_folder_is_broken_and_the_rest_is_still_examined(home: Path) -> None:
    home.write_text("a file")
    found = {finding.what: finding for finding in examine()}
    assert found["home"].state == found["database"].state == "broken"
    assert str(home) in found["home"].detail
    assert found["embedder"].state == found["dagster"].state == "good"
