"""What people read of `aion source`, in this process."""

from pathlib import Path
from typing import Any

from loopback import counting_site
from typer.testing import CliRunner
from workbench import Workbench, article, write_files

from aion_assets.cli import build_app
from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import add_source, get_source


def _source(*arguments: Any) -> str:
    return CliRunner().invoke(build_app(), ["source", *map(str, arguments)], catch_exceptions=False).output


def test_addresses_of_an_outcome_are_listed_up_to_the_limit(settings: Settings, tmp_path: Path) -> None:
    bench = Workbench(settings)
    files = {f"tool{number}_exe": "x" for number in range(5)}
    source = bench.add(write_files(tmp_path / "files", **files), name="Tools")
    bench.collect(source)
    shown = _source("show", "Tools", "--outcome", "wrong-type", "--limit", "2")
    assert "wrong-type: 5" in shown and "tool1.exe" in shown and "tool2.exe" not in shown
    assert "3 more: raise --limit to see them." in shown
    assert "No location has the outcome robots." in _source("show", "tools", "--outcome", "robots")


def test_who_turns_approval_on_is_told_of_those_that_wait_and_stay(settings: Settings, tmp_path: Path) -> None:
    bench = Workbench(settings)
    folder = write_files(tmp_path / "files", a_md=article("lavender"), b_md=article("thyme"))
    source = bench.add(folder, name="herbs", auto_approve=False)
    bench.to_chunks(source)
    shown = _source("set", "herbs", "--auto-approve")
    assert "auto_approve: False → True" in shown
    assert "2 wait already: 'aion curate approve --source herbs' approves them." in shown
    write_files(folder, c_md=article("sage"), b_md=article("rue"))
    report = bench.to_chunks(get_source(bench.database, settings, "herbs").source)["curated"]
    assert (report.counts["approved"], report.counts["pending"]) == (2, 1), "new and changed ones are approved"


def test_who_widens_the_reach_is_told_how_it_is_collected(settings: Settings) -> None:
    add_source(Workbench(settings).database, settings, "https://example.org/", name="site")
    shown = _source("set", "site", "--depth", "3", "--allow-domain", "example.net")
    assert "max_depth: 20 → 3" in shown and "allow_domains: none → example.net" in shown
    assert "'aion run'" in shown
    _source("pause", "site")
    assert "'aion source pause site --resume'" in _source("set", "site", "--allow-domain", "")
    assert _source("set", "site", "--depth", "3") == "It was so already.\n"


def test_an_address_that_may_not_be_fetched_is_added_with_a_warning(settings: Settings) -> None:
    added = _source("add", "http://10.1.2.3/", "--name", "inside")
    assert "AION_ALLOW_PRIVATE_NETWORKS" in added and "Added web source inside" in added
    assert "AION_ALLOW_PRIVATE_NETWORKS" not in _source("add", "http://127.0.0.1/", "--name", "allowed")


def test_what_was_not_taken_is_told_by_its_web_address_with_how_many_more_there_are(
    settings: Settings, tmp_path: Path
) -> None:
    bench = Workbench(settings)
    source = bench.add("uploads", name="sent")
    inbox = uploads_folder(settings, source.source_id)
    with counting_site() as site:
        write_files(inbox, **{"17-link_url": f"{site.root}/missing", **{f"t{n}_exe": "x" for n in range(205)}})
        bench.collect(source)
        (inbox / "t0.exe").unlink()
        bench.collect(source)
    shown = _source("show", "sent")
    assert f"{site.root}/missing" in shown and "17-link.url" not in shown
    assert "404 Not Found" in shown
    assert "5 more are not shown" in shown, "204 of a wrong type and a link to nothing, of which 200 are listed"
    assert "looked at again  never" in shown
