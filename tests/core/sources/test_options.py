from pathlib import Path

import pytest
from loopback import CountingSite, page
from workbench import Workbench

from aion_assets.core.database.engine import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.settings import Settings
from aion_assets.core.sources.options import change_options, parse_schedule
from aion_assets.core.sources.overview import locations_of_outcome
from aion_assets.core.sources.progress import mark_handled
from aion_assets.core.sources.state import CHANGES
from aion_assets.core.sources.store import add_source, begin_collection, finish_collection, get_source, list_sources

Either = tuple[Database, Settings]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("6h", 21_600), (" 2D ", 172_800), ("1 w", 604_800), ("Hourly", 3600), ("daily", 86_400),
     ("weekly", 604_800), ("never", 0)],
)  # fmt: skip
def test_schedules_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert parse_schedule(text) == seconds


@pytest.mark.parametrize("text", ["", "0h", "h", "6", "-6h", "6y", "6h30m", "1.5h", "sometimes"])
def test_a_schedule_that_is_none_is_shown_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(SourceError, match="Give 30m"):
        parse_schedule(text)


def _collected(either: Either, address: str) -> str:
    source = add_source(*either, address, schedule_s=0).source_id
    begin_collection(either[0], source)
    finish_collection(either[0], source)
    mark_handled(either[0], {source: 1})
    return source


@pytest.mark.parametrize("text", ["9999999d", "600w", "99999999999h"])
def test_a_schedule_beyond_ten_years_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match=text):
        parse_schedule(text)


def test_a_long_address_gives_a_name_that_fits_and_a_long_name_is_refused(either_database: Either) -> None:
    database, settings = either_database
    address = f"https://example.org/{'a' * 900}"
    added = add_source(database, settings, address)
    assert added.name == address.removeprefix("https://")[:200]
    with pytest.raises(SourceError, match="201 characters"):
        change_options(database, settings, added.source_id, name="n" * 201)


def test_what_reaches_further_is_collected_again_and_the_rest_only_noted(either_database: Either) -> None:
    database, settings = either_database
    source = _collected(either_database, "https://example.org/")
    assert change_options(database, settings, source, name="Site", schedule_s=60) == {
        "name": ("example.org", "Site"),
        "schedule_s": (0, 60),
    }
    assert get_source(database, settings, source).due == ""
    assert change_options(database, settings, source, allow_domains=["example.net"], max_pages=9) == {
        "allow_domains": ((), ["example.net"]),
        "max_pages": (10_000, 9),
    }
    state = get_source(database, settings, "Site")
    assert (state.source.allow_domains, state.source.max_pages, state.due) == (("example.net",), 9, "requested")
    assert change_options(database, settings, source, allow_domains=["example.net"]) == {}


def test_nothing_to_set_an_unknown_source_and_a_broken_domain_are_refused(
    either_database: Either, tmp_path: Path
) -> None:
    database, settings = either_database
    source = _collected(either_database, "https://example.org/")
    with pytest.raises(SourceError, match=f"Nothing was given to set on {source}"):
        change_options(database, settings, source)
    with pytest.raises(SourceError, match="nowhere"):
        change_options(database, settings, "nowhere", max_pages=1)
    with pytest.raises(SourceError, match="not a domain"):
        change_options(database, settings, source, allow_domains=["not a domain"])
    assert get_source(database, settings, source).source.allow_domains == ()


def test_no_domain_beside_its_own_is_what_an_empty_one_says(either_database: Either) -> None:
    database, settings = either_database
    source = add_source(*either_database, "https://example.org/", allow_domains=["example.net"]).source_id
    assert change_options(database, settings, source, allow_domains=[""]) == {"allow_domains": (("example.net",), [])}
    assert get_source(database, settings, source).source.allow_domains == ()


def test_a_name_that_finds_another_source_or_none_is_refused(either_database: Either, tmp_path: Path) -> None:
    database, settings = either_database
    source = add_source(database, settings, str(tmp_path), name="Guias").source_id
    other = add_source(database, settings, "https://example.org/", name="Site").source_id
    for taken in ("Site", other):
        with pytest.raises(SourceError, match=f"'{taken}' is the id or name of source {other}"):
            change_options(database, settings, source, name=taken)
    with pytest.raises(SourceError, match="cannot have the name ' '"):
        change_options(database, settings, source, name=" ")
    assert change_options(database, settings, source, name=source) == {"name": ("Guias", source)}


def test_a_broken_domain_is_refused_when_the_source_is_added(either_database: Either) -> None:
    with pytest.raises(SourceError, match="'not a domain' is not a domain"):
        add_source(*either_database, "https://example.org/", allow_domains=["not a domain"])
    assert list_sources(*either_database) == []


def test_a_collection_under_way_when_the_reach_changes_is_followed_by_another(either_database: Either) -> None:
    database, settings = either_database
    source = add_source(database, settings, "https://example.org/", schedule_s=0).source_id
    begin_collection(database, source)
    change_options(database, settings, source, max_pages=9)
    finish_collection(database, source)
    assert get_source(database, settings, source).due == "requested"
    begin_collection(database, source)
    finish_collection(database, source)
    assert get_source(database, settings, source).due == CHANGES


def test_what_was_capped_is_fetched_with_more_depth(workbench: Workbench, web: CountingSite) -> None:
    web.pages = {
        "/": page("Home", "Start here.", "/near"),
        "/near": page("Near", "One click away.", "/far"),
        "/far": page("Far", "Two clicks away."),
    }
    source = workbench.add(f"{web.root}/", max_depth=1)
    workbench.collect(source)
    far = f"{web.root}/far"
    capped = locations_of_outcome(workbench.lake, source.source_id, "capped", 10)
    assert capped == (1, [{"address": far, "reason": "deeper than 1 links"}])
    change_options(workbench.database, workbench.settings, source.source_id, max_depth=2)
    workbench.collect(get_source(workbench.database, workbench.settings, source.source_id).source)
    assert locations_of_outcome(workbench.lake, source.source_id, "capped", 10) == (0, [])
    assert web.bodies == {"/": 1, "/near": 1, "/far": 1}, "the others are only asked whether they changed"
