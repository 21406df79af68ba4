"""What is read in a page and in the headers of an answer, and how rows cross the pipe."""

import io
import json
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aion_assets.core.collect.web.markup import read_markup
from aion_assets.core.collect.web.robots import RobotsRules, read_sitemap
from aion_assets.core.collect.web.wire import (
    CrawlEnd,
    CrawlJob,
    receive_job,
    receive_rows,
    send_end,
    send_job,
    send_page,
)
from aion_assets.core.fetch.file_types import TYPE_OF_EXTENSION
from aion_assets.core.fetch.media import filename_of, may_be_taken, type_of_answer
from aion_assets.core.records import CollectedPage, KnownPage, Outcome

URL = "http://example.org/dir/page"


def links_of(markup: str) -> list[str]:
    links = read_markup(markup.encode(), "text/html; charset=utf-8", URL).links
    return [link.removeprefix("http://example.org") for link in links]


def test_links_are_where_a_reader_can_go() -> None:
    assert links_of("""
        <a href="a#x">1</a> <A HREF="/b?utm_source=q">2</A> <area href="c"> <frame src="d"> <a name="no-href">
        <meta http-equiv="Refresh" content="0; url='e'"> <a href="page">itself</a> <a href="a">again</a>
        <img src="f.png"> <script src="g.js"></script> <link rel="stylesheet" href="h.css"> <iframe src="i"></iframe>
        <a href="tel:+55"></a> <a href="http://[broken"></a> <a href="ação"></a>
    """) == ["/dir/e", "/dir/a", "/b", "/dir/c", "/dir/d", "/dir/a%C3%A7%C3%A3o"]  # fmt: skip


def test_a_base_element_moves_relative_links() -> None:
    assert links_of('<base href="/other/"><a href="x">x</a>') == ["/other/x"]


def test_markup_that_differs_out_of_sight_shows_the_same() -> None:
    def shown(markup: str) -> str:
        return read_markup(markup.encode(), "text/html", URL).shown

    page = "<title>T</title><body><p>Hello <b>world</b></p>"
    assert shown(page) == shown(
        "<head><title>T</title><script>1</script></head><body class=x><p>Hello\n<b>world</b></p>"
    )
    assert shown(page) != shown(page.replace("world", "you"))


def test_broken_markup_of_others_never_raises(shared_data: Path) -> None:
    for file in sorted((shared_data / "bad" / "html5lib" / "tokenizer").glob("*.test")):
        for case in json.loads(file.read_text()).get("tests", []):
            read_markup(case["input"].encode("utf-8", "surrogatepass"), "text/html", URL)


@pytest.mark.parametrize("charset", ["euc-kr", "iso-2022-jp", "macintosh", "utf-8-sig", "utf-16le", "nonsense"])
def test_a_page_in_any_encoding_has_its_links(charset: str) -> None:
    markup = read_markup(b'<base href="http://[x]/"><a href="/one">1</a>', f"text/html; charset={charset}", URL)
    assert charset == "utf-16le" or len(markup.links) == 1


@given(st.binary(), st.text())
def test_any_bytes_give_some_links(body: bytes, content_type: str) -> None:
    read_markup(body, content_type, URL)
    type_of_answer(content_type, "", body)


@pytest.mark.parametrize(
    ("content_type", "name", "body", "expected"),
    [
        ("text/html; charset=latin-1", "", b"<p>", "text/html; charset=latin-1"),
        ("TEXT/HTML", "", b"<p>", "TEXT/HTML"),
        ("text/html", "x", b"%PDF-1.4 \0", "application/pdf"),
        ("text/plain", "x.bin", b"\0\1\2", ""),
        ("text/plain; charset=utf-16", "x", b"\xff\xfea\0", "text/plain; charset=utf-16"),
        ("application/octet-stream", "x", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("application/octet-stream", "a.csv", b"a;b", "text/csv"),
        ("application/octet-stream", "a.dat", b"a;b", ""),
        ("application/zip", "a.docx", b"PK\3\4", TYPE_OF_EXTENSION["docx"]),
        ("application/zip", "a.zip", b"PK\3\4", ""),
        ("", "", b"<!DOCTYPE html><p>", "text/html"),
        ("image/gif", "a.gif", b"GIF89a", ""),
        ("application/json", "a.json", b"{}", ""),
    ],
)  # fmt: skip
def test_a_type_is_believed_unless_the_body_belies_it(content_type: str, name: str, body: bytes, expected: str) -> None:
    assert type_of_answer(content_type, name, body) == expected
    if expected:
        assert may_be_taken(content_type, name)


@pytest.mark.parametrize(
    ("url", "disposition", "expected"),
    [
        ("http://a.b/x/report%20one.pdf?v=2", "", "report one.pdf"),
        ("http://a.b/x/", "", ""),
        ("http://a.b/get?id=1", 'attachment; filename="plan.docx"', "plan.docx"),
        ("http://a.b/get", "attachment; filename*=UTF-8''a%C3%A7%C3%A3o.pdf", "ação.pdf"),
        ("http://a.b/get", 'attachment; filename="../../etc/passwd"', "passwd"),
    ],
)
def test_a_file_has_the_name_that_a_browser_gives_it(url: str, disposition: str, expected: str) -> None:
    assert filename_of(url, {"content-disposition": disposition} if disposition else {}) == expected


def test_robots_rules_are_those_for_our_name() -> None:
    robots = b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n\nUser-agent: AION\nDisallow: /no\nCrawl-delay: 99999\n"
    rules = RobotsRules(robots + b"Sitemap: /s.xml", "AION/1.0 (+knowledge assistant)", "http://example.org/robots.txt")
    assert rules.allow("http://example.org/yes") and not rules.allow("http://example.org/no/x")
    assert rules.crawl_delay_s == 30
    assert rules.sitemaps == ["http://example.org/s.xml"]


@pytest.mark.parametrize("body", [b"", b"<html><body>not found</body></html>", b"\x1f\x8bnot gzip", b"plain words"])
def test_what_is_no_sitemap_is_told(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"unpacked|is not XML|where a sitemap has"):
        read_sitemap(body, URL, 1000)


def test_a_sitemap_may_be_a_plain_list() -> None:
    assert read_sitemap(b"http://example.org/a\nhttp://example.org/b#c\n", URL, 1000).pages == [
        "http://example.org/a",
        "http://example.org/b",
    ]


def test_jobs_and_rows_cross_the_pipe_unchanged() -> None:
    job = CrawlJob("http://a.b/", ("c.d",), 3, 10, "now", "AION/1.0", 0.5, 8, 30.0, 1000, (ip_network("10.0.0.0/8"),))
    known = {f"x{n}": KnownPage(f"x{n}", Outcome.DUPLICATE, links=["y\ud800"], depth=n) for n in range(1200)}
    pipe = io.BytesIO()
    send_job(pipe, job, known)
    pipe.seek(0)
    assert receive_job(pipe) == (job, known)

    page = CollectedPage(
        "a", "b", Outcome.STORED, fetched_at=datetime.now(UTC), body=b"\0body", links=["\u2028"], size_bytes=5
    )
    bare = CollectedPage("c", "d", Outcome.GONE, reason="404 Not Found", links=[])
    end = CrawlEnd("why", 1, 2, 3, 4)
    pipe = io.BytesIO()
    send_page(pipe, page, 7)
    send_page(pipe, bare, 0)
    send_end(pipe, end)
    assert list(receive_rows(io.BytesIO(pipe.getvalue()))) == [(page, 7), (bare, 0), end]
    for cut in range(len(pipe.getvalue())):
        assert end not in list(receive_rows(io.BytesIO(pipe.getvalue()[:cut])))
