from pathlib import Path

import pytest

from aion_assets.core import sources
from aion_assets.core.database import Database
from aion_assets.core.errors import SourceError
from aion_assets.core.settings import Settings
from aion_assets.core.source_options import change_options

Either = tuple[Database, Settings]


def _collected(either: Either, address: str) -> str:
    source = sources.add_source(*either, address, schedule_s=0).source_id
    sources.begin_collection(either[0], source)
    sources.finish_collection(either[0], source)
    sources.mark_handled(either[0], {source: 1})
    return source


def test_what_reaches_further_is_collected_again_and_the_rest_only_noted(either_database: Either) -> None:
    database, settings = either_database
    source = _collected(either_database, "https://example.org/")
    assert change_options(database, settings, source, name="Site", schedule_s=60) == {
        "name": ("example.org", "Site"),
        "schedule_s": (0, 60),
    }
    assert sources.get_source(database, settings, source).due == ""
    assert change_options(database, settings, source, allow_domains=["example.net"], max_pages=9) == {
        "allow_domains": ((), ["example.net"]),
        "max_pages": (10_000, 9),
    }
    state = sources.get_source(database, settings, "Site")
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
    assert sources.get_source(database, settings, source).source.allow_domains == ()
