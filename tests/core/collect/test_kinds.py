"""How kinds of sources are found, and what they promise together."""

import sys
from pathlib import Path

import pytest

from aion_assets.core.collect.connector import CollectionReport, Connector, vanished
from aion_assets.core.collect.kinds import connector_of, connectors, kind_of
from aion_assets.core.errors import SourceError
from aion_assets.core.records import KnownPage, Outcome

PLUGIN = """
class FeedConnector:
    kind = "feed"

    @classmethod
    def accepts(cls, address):
        return address.startswith("feed:")

    @classmethod
    def normal_address(cls, address):
        return address

    def collect(self, source, settings, known, collection_id, emit, progress):
        raise NotImplementedError
"""


def test_the_built_in_kinds_are_always_there() -> None:
    assert set(connectors()) >= {"web", "folder", "uploads", "jsonl"}
    assert all(isinstance(connector, Connector) for connector in connectors().values())
    assert kind_of("https://example.org/docs") == "web"
    assert kind_of("uploads") == "uploads"


def test_an_installed_package_adds_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feed_plugin.py").write_text(PLUGIN)
    metadata = tmp_path / "feed_plugin-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: feed-plugin\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[aion.source_kinds]\nfeed = feed_plugin:FeedConnector\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    connectors.cache_clear()
    try:
        assert kind_of("feed:example") == "feed"
        assert isinstance(connector_of("feed"), Connector)
    finally:
        connectors.cache_clear()
        sys.modules.pop("feed_plugin", None)


def test_an_unknown_kind_or_address_says_what_there_is() -> None:
    with pytest.raises(SourceError, match="Installed kinds: folder, jsonl, uploads, web"):
        connector_of("gopher")
    with pytest.raises(SourceError, match="Give https://"):
        kind_of("example.org/docs")


def test_only_a_complete_collection_proves_that_a_location_is_gone() -> None:
    known = {
        "seen": KnownPage("seen", Outcome.STORED),
        "unseen": KnownPage("unseen", Outcome.STORED),
        "resumed": KnownPage("resumed", Outcome.STORED, collection_id="now"),
    }
    assert vanished(known, ["seen"], CollectionReport("now", complete=True)) == {"unseen"}
    assert vanished(known, ["seen"], CollectionReport("now", complete=False)) == set()


def test_where_folders_could_not_be_read_only_what_lies_in_them_may_still_exist() -> None:
    known = {name: KnownPage(name, Outcome.STORED) for name in ("seen", "unseen", "closed/in/it", "closed.md")}
    report = CollectionReport("now", unread=["closed"])
    assert vanished(known, ["seen"], report) == {"unseen", "closed.md"}
    report.unreachable = True
    assert vanished(known, ["seen"], report) == set()
