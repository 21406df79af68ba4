"""Dumps of one JSON document a line."""

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from collecting import collect, source_of

from aion_assets.core.collect.connector import CollectionJob, vanished
from aion_assets.core.collect.jsonl import JsonlConnector
from aion_assets.core.collect.kinds import kind_of
from aion_assets.core.errors import SourceError
from aion_assets.core.ids import content_hash
from aion_assets.core.records import KnownPage, Outcome
from aion_assets.core.settings import Settings


def test_every_line_ends_with_one_outcome(tmp_path: Path, loopback_settings: Settings) -> None:
    without_id = b'{"text": "no id"}'
    lines = [
        b'\xef\xbb\xbf{"_id": "a/b", "title": "T", "text": "first"}',
        b'{"id": 7, "text": "a number"}',
        b"",
        b'{"url": "https://example.org/x", "text": "an address"}\r',
        without_id,
        b'{"_id": "a/b", "text": "again"}',
        b'{"_id": "a/b", "text": "again"}',
        b"{broken",
        b'"text"',
        b'{"text": "caf\xe9"}',
        b"[" * 100_000,
        b'{"id": "' + b"x" * 200_000 + b'"}',
        b'{"id": "half \\ud800 a pair", "text": "x"}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"_id": "last", "text": "no line break behind it"}',
    ]
    file = tmp_path / "dump.jsonl"
    file.write_bytes(b"\n".join(lines))
    settings = loopback_settings.model_copy(update={"max_fetch_bytes": 150_000})

    collected = collect(source_of("jsonl", str(file), allow_domains=("example.org",)), settings)

    rows = collected.rows
    assert [name for name, page in rows.items() if page.outcome is Outcome.STORED] == [
        "a/b",
        "7",
        "https://example.org/x",
        content_hash(without_id)[:16],
        content_hash(lines[12])[:16],
        "last",
    ]
    assert collected.report.counts == {
        Outcome.STORED: 6,
        Outcome.DUPLICATE: 1,
        Outcome.ERROR: 5,
        Outcome.TOO_BIG: 1,
    }
    assert sorted(page.reason for page in rows.values() if page.reason) == [
        "line 10 is not UTF-8 at byte 13",
        "line 11 is not JSON that can be read",
        "line 12 has 200010 bytes; at most 150000 are taken",
        "line 14 is not JSON that can be read",
        "line 6 repeats an id",
        "line 8 is not JSON: Expecting property name enclosed in double quotes at column 2",
        "line 9 is not a JSON object",
    ]
    page = rows["a/b"]
    assert json.loads(page.body or b"")["text"] == "first"
    assert (page.content_type, page.filename) == ("application/x-ndjson", "a/b.jsonl")
    assert page.url == f"{file.as_uri()}#a/b"
    assert rows["https://example.org/x"].url == "https://example.org/x"
    assert collected.report.complete


def test_only_changed_lines_are_stored_again(tmp_path: Path, loopback_settings: Settings) -> None:
    file = tmp_path / "dump.jsonl"
    file.write_text("".join(f'{{"id": "{n}", "text": "{n}"}}\n' for n in range(10)))
    source = source_of("jsonl", str(file))
    first = collect(source, loopback_settings)
    file.write_text("".join(f'{{"id": "{n}", "text": "{n // 2 * 2}"}}\n' for n in range(4)))
    second = collect(source, loopback_settings, first.known(), "second")
    assert {name: page.outcome.value for name, page in second.rows.items()} == {
        "0": "unchanged",
        "1": "stored",
        "2": "unchanged",
        "3": "stored",
    }
    assert vanished(first.known(), second.rows, second.report) == {"4", "5", "6", "7", "8", "9"}
    rest = collect(source, loopback_settings, {"0": second.known("now")["0"]}, "now")
    assert rest.report.resumed == 1 and list(rest.rows) == ["1", "2", "3"]


@pytest.mark.parametrize("content", ["", "\n\n", None, '{"id": "0", "text": "0"}\n{"id": "1", "te'])
def test_a_file_that_is_away_empty_or_cut_off_forgets_nothing(
    tmp_path: Path, loopback_settings: Settings, content: str | None
) -> None:
    file = tmp_path / "dump.jsonl"
    file.write_text("".join(f'{{"id": "{n}", "text": "{n}"}}\n' for n in range(3)))
    source = source_of("jsonl", str(file))
    first = collect(source, loopback_settings)
    file.unlink()
    if content is not None:
        file.write_text(content)
    second = collect(source, loopback_settings, first.known(), "second")
    assert second.report.counts[Outcome.ERROR] == 1
    assert not second.report.complete
    assert vanished(first.known(), second.rows, second.report) == set()


def test_memory_does_not_grow_with_the_file(tmp_path: Path, loopback_settings: Settings) -> None:
    file = tmp_path / "dump.jsonl"
    with file.open("w") as lines:
        for number in range(20_000):
            lines.write(f'{{"id": "{number}", "text": "{"x" * 1500}"}}\n')
    seen = 0

    def count(_: object) -> None:
        nonlocal seen
        seen += 1

    tracemalloc.start()
    JsonlConnector().collect(
        CollectionJob(source_of("jsonl", str(file)), loopback_settings, {}, "c"), count, lambda _: None
    )
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen == 20_000
    assert peak_bytes < 6_000_000 < file.stat().st_size


def test_real_retrieval_sets_are_taken_whole(shared_data: Path, loopback_settings: Settings) -> None:
    file = shared_data / "retrieval" / "faquad" / "corpus.jsonl"
    assert kind_of(str(file)) == "jsonl"
    collected = collect(source_of("jsonl", str(file), max_pages=10), loopback_settings)
    assert collected.report.counts == {Outcome.STORED: 249}


def test_a_dump_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(SourceError, match="There is no file"):
        kind_of("nowhere.jsonl")


@pytest.mark.parametrize("url", ["https://x.org/\0", "https://x.org/\x1b]0;title\x07", "http://[", "ftp://x.org/a", 7])
def test_an_address_that_is_none_is_that_of_the_line(url: object, tmp_path: Path, loopback_settings: Settings) -> None:
    file = tmp_path / "dump.jsonl"
    file.write_text(json.dumps({"id": "one", "url": url, "text": "um texto"}))
    rows = collect(source_of("jsonl", str(file)), loopback_settings).rows
    assert rows["one"].url == f"{file.as_uri()}#one"


@pytest.mark.parametrize(
    ("domains", "claimed", "may"),
    [
        ((), "https://example.org/law", False),
        (("example.org",), "https://example.org/law", True),
        (("example.org",), "https://www.example.org/law", True),
        (("Example.org ",), "http://docs.example.org:8080/law", True),
        (("example.org",), "https://example.org.evil.example/law", False),
        (("example.org",), "https://evilexample.org/law", False),
        (("example.org",), "https://example.org@evil.example/law", False),
        (("",), "https://evil.example/", False),
        (("*",), "https://anybody.example/law", True),
    ],
)
def test_a_line_claims_the_address_of_a_site_only_where_its_source_allows_it(
    domains: tuple[str, ...], claimed: str, may: bool, tmp_path: Path, loopback_settings: Settings
) -> None:
    file = tmp_path / "dump.jsonl"
    file.write_text(json.dumps({"id": "one", "url": claimed, "text": "um texto"}))
    source = replace(source_of("jsonl", str(file)), allow_domains=domains)
    (row,) = collect(source, loopback_settings).rows.values()
    assert row.url == (claimed if may else f"{file.as_uri()}#one")
    before = KnownPage("one", Outcome.STORED, url=claimed)
    (row,) = collect(source_of("jsonl", str(file)), loopback_settings, known={"one": before}).rows.values()
    assert row.url == claimed, "it was decided on under this address"
