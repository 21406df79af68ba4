from pathlib import Path

from workbench import Workbench, article, write_files

from aion_assets.core import releases
from aion_assets.core.settings import Settings
from aion_assets.diagnosis import examine


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
