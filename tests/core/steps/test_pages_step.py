from pathlib import Path
from typing import Any

import pytest
from loopback import CountingSite, page
from workbench import Workbench, write_files

from aion_assets.core.collect.connector import CollectionJob
from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.collect.web.site import WebConnector
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import PAGES, LakeTable
from aion_assets.core.records import CollectedPage, Outcome, Source
from aion_assets.core.sources.options import change_options
from aion_assets.core.sources.store import begin_collection, get_source
from aion_assets.core.steps import pages
from aion_assets.core.steps.context import SourceRun
from aion_assets.core.steps.pages import _PageWriter


def _outcomes(bench: Workbench, source: Source) -> dict[str, str]:
    return {row["locator"].rpartition("/")[2]: row["outcome"] for row in bench.rows("pages", "locator outcome", source)}


def _bodies(bench: Workbench, source: Source) -> dict[str, bytes]:
    locator_of = {row["page_key"]: row["locator"] for row in bench.rows("pages", "page_key locator", source)}
    rows = bench.rows("bodies", "page_key body", source)
    return {locator_of[row["page_key"]].rpartition("/")[2]: row["body"] for row in rows}


def test_every_location_keeps_one_row_with_its_outcome(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md="# A\n\nlavanda", b_txt="beta", c_exe="x")
    source = workbench.add(folder)
    report = workbench.collect(source)
    assert _outcomes(workbench, source) == {"a.md": "stored", "b.txt": "stored", "c.exe": "wrong-type"}
    assert (report.rows, report.counts["stored"], report.drops) == (2, 2, {"wrong-type": 1})
    again = workbench.collect(source)
    assert _outcomes(workbench, source)["a.md"] == "unchanged"
    assert again.data_version == report.data_version
    assert _bodies(workbench, source) == {"a.md": b"# A\n\nlavanda", "b.txt": b"beta"}


def test_a_visit_that_finds_nothing_new_leaves_the_bodies_alone(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md="alpha", b_md="beta")
    source = workbench.add(folder)
    workbench.collect(source)
    before = workbench.lake.table("bodies").version
    workbench.collect(source)
    assert workbench.lake.table("bodies").version == before
    write_files(folder, b_md="gamma")
    workbench.collect(source)
    assert _bodies(workbench, source) == {"a.md": b"alpha", "b.md": b"gamma"}


def test_a_body_that_a_killed_collection_left_behind_goes_with_the_next(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md="alpha", b_md="beta")
    source = workbench.add(folder)
    workbench.collect(source)
    (folder / "b.md").unlink()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pages, "_drop_bodies", _killed)
        workbench.collect(source)
    assert set(_bodies(workbench, source)) == {"a.md", "b.md"}
    workbench.collect(source)
    assert set(_bodies(workbench, source)) == {"a.md"}


def test_a_page_whose_body_is_missing_is_asked_for_again(workbench: Workbench, web: CountingSite) -> None:
    web.pages = {"/": page("Home", "Start here.", "/a"), "/a": page("A", "alpha")}
    source = workbench.add(f"{web.root}/")
    workbench.collect(source)
    (key,) = (row["page_key"] for row in workbench.rows("pages", "page_key locator") if row["locator"].endswith("/a"))
    workbench.lake.delete("bodies", "page_key", [key])
    assert workbench.collect(source).counts == {"unchanged": 1, "stored": 1}
    assert b"alpha" in _bodies(workbench, source)["a"]


def test_a_page_whose_body_is_missing_keeps_its_document_while_the_site_is_away(
    workbench: Workbench, web: CountingSite
) -> None:
    web.pages = {"/": page("Home", "Start here.", "/a"), "/a": page("A", "alpha beta gamma")}
    source = workbench.add(f"{web.root}/")
    workbench.to_chunks(source)
    workbench.lake.delete_where("bodies", "content_hash <> ''")
    web.failing = {"/": 503, "/a": 503}
    workbench.collect(source)
    report = workbench.parse(source)
    assert (report.counts["unchanged"], report.counts["orphaned"]) == (2, 0)
    web.failing = {}
    assert workbench.collect(source).counts["stored"] == 2


def test_a_change_that_is_taken_back_after_a_kill_is_nowhere(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md="# A\n\nThe first wording.")
    source = workbench.add(folder)
    workbench.to_chunks(source)
    write_files(folder, a_md="# A\n\nA slip of the pen.")
    real = Lake.upsert

    def killed_before_pages(self: Lake, table: LakeTable, *arguments: Any) -> None:
        if table is PAGES:
            raise KeyboardInterrupt
        real(self, table, *arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Lake, "upsert", killed_before_pages)
        workbench.collect(source)
    assert b"slip" in _bodies(workbench, source)["a.md"]
    assert workbench.parse(source, "next").counts["parsed"] == 1
    (row,) = workbench.rows("documents", "text code_version")
    assert "first" in row["text"] and row["code_version"] != "next", "a body that no page tells of is not read"
    write_files(folder, a_md="# A\n\nThe first wording.")
    workbench.collect(source)
    assert b"first" in _bodies(workbench, source)["a.md"]
    workbench.parse(source, "next")
    (row,) = workbench.rows("documents", "text code_version")
    assert "first" in row["text"] and row["code_version"] == "next"


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_is_gone_loses_its_body_and_is_told_once(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md="alpha", b_md="beta")
    source = workbench.add(folder)
    workbench.collect(source)
    (folder / "b.md").unlink()
    assert workbench.collect(source).counts["gone"] == 1
    assert _outcomes(workbench, source) == {"a.md": "unchanged", "b.md": "gone"}
    assert set(_bodies(workbench, source)) == {"a.md"}
    assert workbench.collect(source).counts["gone"] == 0
    write_files(folder, b_md="beta")
    assert workbench.collect(source).counts["stored"] == 1


def test_an_error_keeps_the_last_good_body_its_type_and_its_links(workbench: Workbench, web: CountingSite) -> None:
    web.pages = {
        "/": page("Home", "Start here.", "/data", "/deep"),
        "/data": b"a;b\n1;2\n",
        "/deep": page("Deep", "x y"),
    }
    web.types["/data"] = "text/csv"
    source = workbench.add(f"{web.root}/")
    workbench.collect(source)

    def held() -> list[str]:
        pages = workbench.rows("pages", "locator content_hash size_bytes etag links", source)
        return sorted(
            map(str, pages + workbench.rows("bodies", "page_key content_hash content_type filename body", source))
        )

    before = held()
    assert len(before) == 6

    web.failing = {"/data": 500, "/deep": 500}
    workbench.collect(source)
    assert _outcomes(workbench, source) == {"": "unchanged", "data": "error", "deep": "error"}
    assert held() == before

    web.failing = {}
    workbench.collect(source)
    assert _outcomes(workbench, source) == {"": "unchanged", "data": "unchanged", "deep": "unchanged"}
    assert max(web.bodies[path] for path in web.pages) == 1, "nothing was sent twice"


@pytest.mark.parametrize(("status", "body"), [(403, b"Down for maintenance."), (200, b"")])
def test_what_an_error_page_says_of_itself_is_not_asked_of_the_page_that_is_held(
    workbench: Workbench, web: CountingSite, status: int, body: bytes
) -> None:
    web.pages = {"/": page("Home", "Start here.", "/p"), "/p": page("P", "The first wording.")}
    source = workbench.add(f"{web.root}/")
    workbench.collect(source)
    web.pages["/p"] = page("P", "The second wording.")
    # Of the new page, as a server tells that compares dates: the error page is the younger of the two.
    etag = f'"{hash(web.pages["/p"])}"'
    web.answers["/p"] = (status, {"Content-Type": "text/html", "ETag": etag}, body)
    workbench.collect(source)
    assert _outcomes(workbench, source)["p"] == "error"
    del web.answers["/p"]
    workbench.collect(source)
    assert b"The second wording." in _bodies(workbench, source)["p"]


def test_a_link_file_that_names_another_page_lets_go_of_the_first(workbench: Workbench, web: CountingSite) -> None:
    web.pages = {"/old": page("Old", "Once upon a time."), "/new": page("New", "These days.")}
    source = workbench.add("uploads")
    link = uploads_folder(workbench.settings, source.source_id) / "page.url"
    link.parent.mkdir(parents=True)

    def collect(text: str) -> tuple[str, str, bool]:
        link.write_text(text)
        workbench.collect(source)
        (row,) = workbench.rows("pages", "outcome etag content_hash", source)
        bodies = _bodies(workbench, source)
        assert bool(row["content_hash"]) == bool(bodies) == bool(row["etag"])
        return row["outcome"], row["etag"], bool(bodies)

    first = collect(f"{web.root}/old")
    web.failing = {"/old": 503, "/new": 503}
    assert collect(f"{web.root}/old") == ("error", *first[1:]), "it is only away"
    assert collect(f"{web.root}/new") == ("error", "", False)
    web.failing = {}
    assert collect(f"{web.root}/new")[0] == "stored"
    assert collect("no address") == ("error", "", False)


def test_a_page_that_is_gone_from_a_site_loses_its_body(workbench: Workbench, web: CountingSite) -> None:
    web.pages = {"/": page("Home", "Start here.", "/old"), "/old": page("Old", "Once upon a time.")}
    source = workbench.add(f"{web.root}/")
    workbench.collect(source)
    web.failing = {"/old": 410}
    workbench.collect(source)
    assert _outcomes(workbench, source)["old"] == "gone"
    assert set(_bodies(workbench, source)) == {""}


def test_a_killed_collection_goes_on_under_its_id(workbench: Workbench, web: CountingSite) -> None:
    """What an earlier attempt stored under the collection's id is not asked for again."""
    web.pages = {"/": page("Home", "Start.", "/a", "/b"), "/a": page("A", "aaa", "/c"), "/b": page("B", "bbb"),
                 "/c": page("C", "ccc")}  # fmt: skip
    source = workbench.add(f"{web.root}/")
    collection = begin_collection(workbench.database, source.source_id)
    known: dict[str, CollectedPage] = {}
    writer = _PageWriter(SourceRun(workbench.home, source, "killed run"), {}, collection)

    class KilledError(Exception):
        pass

    def store_two(found: CollectedPage) -> None:
        known[found.locator] = found
        writer.add(found)
        if len(known) == 2:
            writer.flush()
            raise KilledError

    with pytest.raises(KilledError):
        WebConnector().collect(CollectionJob(source, workbench.settings, {}, collection), store_two, lambda _: None)
    stored = {locator.removeprefix(web.root) for locator in known}
    asked = {path: web.asked[path] for path in stored}
    report = workbench.collect(source)
    assert report.notes["collection_id"] == collection and report.notes["resumed"] == 2
    assert {path: web.asked[path] for path in stored} == asked
    assert {row["outcome"] for row in workbench.rows("pages", "outcome", source)} == {Outcome.STORED}
    assert workbench.lake.count("pages") == 4
    assert get_source(workbench.database, workbench.settings, source.source_id).collection_id == ""


def test_options_that_change_before_a_collection_begins_are_those_it_follows(
    workbench: Workbench, web: CountingSite
) -> None:
    web.pages = {"/": page("Home", "Start.", "/near"), "/near": page("Near", "One click away.")}
    source = workbench.add(f"{web.root}/", max_depth=0)
    change_options(workbench.database, workbench.settings, source.source_id, max_depth=1)
    workbench.collect(source)  # as a run does that read the options and then waited for its turn
    assert _outcomes(workbench, source) == {"": "stored", "near": "stored"}


def test_two_sources_that_reach_one_address_keep_a_row_each(workbench: Workbench, web: CountingSite) -> None:
    web.pages = {"/": page("Home", "Start.", "/docs/"), "/docs/": page("Docs", "All there is to know.")}
    whole, part = workbench.add(f"{web.root}/"), workbench.add(f"{web.root}/docs/")
    for source in (whole, part):
        workbench.to_chunks(source)
    shared = [row for row in workbench.rows("documents", "location_id doc_id url") if row["url"].endswith("/docs/")]
    assert len(shared) == 2 and len({row["location_id"] for row in shared}) == 1
    assert len({row["doc_id"] for row in shared}) == 2
    assert len([row for row in workbench.rows("curated_documents", "duplicate_of") if not row["duplicate_of"]]) == 2


def test_why_a_collection_is_not_complete_is_kept_until_one_is(workbench: Workbench, web: CountingSite) -> None:
    web.pages, web.failing = {"/": page("Home", "Start here.", "/deep"), "/deep": page("Deep", "x y")}, {"/": 500}
    source = workbench.add(f"{web.root}/")

    def failure() -> str:
        return get_source(workbench.database, workbench.settings, source.source_id).failure

    notes = workbench.collect(source).notes
    assert failure() == notes["complete"] == "the start page could not be read: 500 Internal Server Error"
    assert (notes["unreachable"], notes["first_trouble"]) == ("yes", f"{web.root}/: 500 Internal Server Error")
    web.failing = {"/deep": 404}
    notes = workbench.collect(source).notes
    assert (failure(), notes["unreachable"], notes["first_trouble"]) == ("", "no", f"{web.root}/deep: 404 Not Found")


def test_a_folder_that_is_not_there_is_unreachable(workbench: Workbench, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "f", a_md="alpha")
    source = workbench.add(folder)
    assert workbench.collect(source).notes["unreachable"] == "no"
    folder.rename(tmp_path / "away")
    assert workbench.collect(source).notes["unreachable"] == "yes"
