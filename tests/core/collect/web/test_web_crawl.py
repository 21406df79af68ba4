"""The crawl of web sites, by a real child process against a real server."""

import gzip
import socket
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from itertools import pairwise

import pytest
from collecting import Page, Site, collect, html, moved, source_of

from aion_assets.core.collect.connector import CollectionJob, vanished
from aion_assets.core.collect.kinds import kind_of
from aion_assets.core.collect.web.site import WebConnector
from aion_assets.core.errors import SourceError
from aion_assets.core.records import Outcome
from aion_assets.core.settings import Settings

PDF = Page(b"%PDF-1.4 not much of one", headers={"Content-Type": "application/pdf"})


def test_every_location_ends_with_one_outcome(site: Site, loopback_settings: Settings) -> None:
    site.pages = {
        "/robots.txt": Page(b"User-agent: *\nDisallow: /private/\n", headers={"Content-Type": "text/plain"}),
        "/": html(
            "/a.html#part", "/a.html?utm_source=mail", "/moved", "/away", "/private/x", "/missing", "/removed",
            "/forbidden", "/video.mp4", "/program", "/guide.pdf", "/mislabelled.pdf", "/copy", "/empty", "/index.html",
            "mailto:someone@example.org", "javascript:void(0)", "https://example.org/elsewhere", "/loop1", "/self",
        ),
        "/a.html": html("/", text="page a"),
        "/copy": html("/", text="page a", delay_s=0.3),
        "/moved": moved("/target"),
        "/target": html(text="the target"),
        "/away": moved("https://example.org/x"),
        "/removed": Page(b"", 410),
        "/forbidden": Page(b"no", 403),
        "/program": Page(b"\x7fELF", headers={"Content-Type": "application/x-executable"}),
        "/guide.pdf": PDF,
        "/mislabelled.pdf": Page(b"%PDF-1.7 other \0", headers={"Content-Type": "application/octet-stream"}),
        "/empty": Page(b"  \n"),
        "/loop1": moved("/loop2", 302),
        "/loop2": moved("/loop1", 307),
        "/self": moved("/self#again"),
    }  # fmt: skip
    site.pages["/index.html"] = site.pages["/"]

    collected = collect(source_of("web", site.root), loopback_settings)

    assert collected.outcomes() == {
        "/": "stored",
        "/a.html": "stored",
        "/moved": "redirect",
        "/target": "stored",
        "/away": "off-domain",
        "/private/x": "robots",
        "/missing": "gone",
        "/removed": "gone",
        "/forbidden": "error",
        "/video.mp4": "wrong-type",
        "/program": "wrong-type",
        "/guide.pdf": "stored",
        "/mislabelled.pdf": "stored",
        "/copy": "duplicate",
        "/index.html": "duplicate",
        "/empty": "error",
        "/loop1": "redirect",
        "/loop2": "redirect",
        "/self": "error",
    }
    assert collected.report.complete
    assert collected.report.off_domain_links == 1
    assert collected.progress == list(range(1, 20))
    assert set(site.requests.values()) == {1}, "a location was asked for twice"
    assert not {"/private/x", "/video.mp4"} & site.requests.keys()
    rows = collected.rows
    assert rows[f"{site.root}/forbidden"].reason == "403 Forbidden"
    assert rows[f"{site.root}/moved"].links == [f"{site.root}/target"]
    assert rows[f"{site.root}/copy"].reason == f"same content as {site.root}/a.html"
    assert rows[f"{site.root}/mislabelled.pdf"].content_type == "application/pdf"
    assert rows[f"{site.root}/guide.pdf"].filename == "guide.pdf"
    assert rows[f"{site.root}/a.html"].depth == 1


def test_an_unchanged_site_is_asked_conditionally_and_stored_no_more(site: Site, loopback_settings: Settings) -> None:
    site.pages = {
        "/": html("/tagged", "/untagged", "/changes", "/vanishes", "/copy", "/unlinked"),
        "/tagged": html("/behind", text="tagged", etag='"1"'),
        "/behind": html(text="behind", etag='"2"'),
        "/untagged": html(text="untagged"),
        "/copy": html("/behind", text="tagged", etag='"3"', delay_s=0.3),
        "/changes": html(text="before", etag='"4"'),
        "/vanishes": html(text="soon gone"),
        "/unlinked": html(text="soon without a link"),
    }
    source = source_of("web", site.root)
    first = collect(source, loopback_settings)
    assert first.report.counts == {Outcome.STORED: 7, Outcome.DUPLICATE: 1}

    site.requests.clear()
    second = collect(source, loopback_settings, first.known(), "second")
    assert second.report.counts == {Outcome.UNCHANGED: 7, Outcome.DUPLICATE: 1}
    assert site.conditional == {"/tagged": 1, "/behind": 1, "/copy": 1, "/changes": 1}
    assert set(site.requests.values()) == {1}
    assert vanished(first.known(), second.rows, second.report) == set()
    for locator, page in first.rows.items():
        again = second.rows[locator]
        assert (again.content_hash, again.etag, again.links) == (page.content_hash, page.etag, page.links)

    site.pages["/"] = html("/tagged", "/untagged", "/changes", "/vanishes", "/copy")
    site.pages["/changes"] = html(text="after", etag='"5"')
    del site.pages["/vanishes"]
    third = collect(source, loopback_settings, second.known(), "third")
    assert third.outcomes() == {
        "/": "stored",
        "/tagged": "unchanged",
        "/behind": "unchanged",
        "/untagged": "unchanged",
        "/copy": "duplicate",
        "/changes": "stored",
        "/vanishes": "gone",
    }
    assert vanished(second.known(), third.rows, third.report) == {f"{site.root}/unlinked"}


def test_when_an_original_changes_its_former_duplicate_is_stored(site: Site, loopback_settings: Settings) -> None:
    site.pages = {
        "/": html("/original", "/copy"),
        "/original": html(text="same", etag='"1"'),
        "/copy": html(text="same", etag='"2"', delay_s=0.2),
    }
    source = source_of("web", site.root)
    first = collect(source, loopback_settings)
    assert first.outcomes() == {"/": "stored", "/original": "stored", "/copy": "duplicate"}

    site.pages["/original"] = html(text="rewritten", etag='"3"')
    second = collect(source, loopback_settings, first.known(), "second")
    assert second.outcomes() == {"/": "unchanged", "/original": "stored", "/copy": "stored"}
    assert second.rows[f"{site.root}/copy"].body == site.pages["/copy"].body


def test_a_page_is_stored_once_under_its_canonical_address(site: Site, loopback_settings: Settings) -> None:
    def canonical(address: str) -> str:
        return f'<link rel="canonical" href="{address}">'

    site.pages = {
        "/": html("/p?model=a", "/p?model=b", "/q", "/dead", "/x", "/deep/mistaken", "/abroad", "/section/"),
        "/p": html(text="product", head=canonical("/p")),
        "/p?model=a": html(text="product", head=canonical("/p")),
        "/p?model=b": html(text="product, of which model b is heavier", head=canonical("/p")),
        "/q": html("/q?view=list", text="no canonical address"),
        "/q?view=list": html("/q?view=list", text="no canonical address", head="<script>other()</script>"),
        "/dead": html(text="its canonical address is dead", head=canonical("/nowhere")),
        "/x": html(text="each names the other", head=canonical("/y")),
        "/y": html(text="each names the other", head=canonical("/x")),
        "/section/": html("page", text="the home of a section", head=canonical("/section/")),
        "/section/page": html(text="a page that names the section's home", head=canonical("/section/")),
        "/deep/mistaken": html(text="a template names the home page everywhere", head=canonical("/")),
        "/abroad": html(text="named elsewhere", head=canonical("https://example.org/abroad")),
    }

    collected = collect(source_of("web", site.root), loopback_settings)

    outcomes = collected.outcomes()
    assert sorted([outcomes.pop("/x"), outcomes.pop("/y")]) == ["duplicate", "stored"]
    assert outcomes == {
        "/": "stored",
        "/p": "stored",
        "/p?model=a": "duplicate",
        "/p?model=b": "stored",
        "/section/": "stored",
        "/section/page": "stored",
        "/q": "stored",
        "/q?view=list": "duplicate",
        "/dead": "stored",
        "/nowhere": "gone",
        "/deep/mistaken": "stored",
        "/abroad": "stored",
    }
    assert collected.report.complete


def test_sitemaps_lead_to_pages_that_nothing_links_to(site: Site, loopback_settings: Settings) -> None:
    def listing(tag: str, entry: str, *addresses: str) -> bytes:
        entries = "".join(f"<{entry}><loc>{site.root}{address}</loc></{entry}>" for address in addresses)
        return f'<{tag} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{tag}>'.encode()

    robots = f"Sitemap: {site.root}/index.xml\nUser-agent: *\nDisallow: /secret"
    site.pages = {
        "/robots.txt": Page(robots.encode()),
        "/index.xml": Page(listing("sitemapindex", "sitemap", "/one.xml", "/two.xml.gz", "/index.xml")),
        "/one.xml": Page(listing("urlset", "url", "/only-listed", "/secret")),
        "/two.xml.gz": Page(gzip.compress(listing("urlset", "url", "/packed"))),
        "/": html(text="home"),
        "/only-listed": html("/behind"),
        "/behind": html(text="behind"),
        "/packed": html(text="packed"),
        "/secret": html(text="secret"),
    }

    collected = collect(source_of("web", site.root), loopback_settings)

    assert collected.outcomes() == {
        "/": "stored",
        "/only-listed": "stored",
        "/behind": "stored",
        "/packed": "stored",
        "/secret": "robots",
    }


def test_a_sitemap_that_fails_leaves_the_collection_incomplete(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/": html(text="home"), "/sitemap.xml": Page(b"busy", 503, {"Retry-After": "0"})}
    collected = collect(source_of("web", site.root), loopback_settings)
    assert collected.outcomes() == {"/": "stored"}
    assert "sitemap" in collected.report.failure
    assert vanished({"x": next(iter(collected.known().values()))}, [], collected.report) == set()


def test_without_readable_robots_rules_no_page_is_visited(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/robots.txt": Page(b"", 503), "/": html(text="home")}
    collected = collect(source_of("web", site.root), loopback_settings)
    assert collected.outcomes() == {"/": "error"}
    assert "robots.txt cannot be read" in collected.rows[f"{site.root}/"].reason
    assert not collected.report.complete
    assert site.requests["/"] == 0


def test_caps_are_exact_and_what_lies_beyond_is_recorded(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/": html(*(f"/{n}" for n in range(20)))}
    site.pages |= {f"/{n}": html(f"/{n}/deeper", text=f"page {n}") for n in range(20)}
    site.pages |= {f"/{n}/deeper": html(f"/{n}/deeper/still", text=f"deeper {n}") for n in range(20)}

    capped = collect(source_of("web", site.root, max_pages=7), loopback_settings)
    assert capped.report.counts[Outcome.STORED] == 7
    assert sum(site.requests[f"/{n}"] for n in range(20)) == 6
    assert not capped.report.complete

    shallow = collect(source_of("web", site.root, max_depth=1), loopback_settings)
    assert shallow.report.counts == {Outcome.STORED: 21, Outcome.CAPPED: 20}
    assert shallow.report.complete
    assert shallow.rows[f"{site.root}/3/deeper"].reason == "deeper than 1 links"


def test_a_page_that_vanished_is_gone_although_the_cap_ends_the_crawl(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/": html(*(f"/{n}" for n in range(20)))}
    site.pages |= {f"/{n}": html(text=f"page {n}", etag=f'"{n}"') for n in range(20)}
    source = source_of("web", site.root, max_pages=9)
    first = collect(source, loopback_settings)
    assert first.report.counts[Outcome.STORED] == 9

    # None of what is held has a link any more but /7, which others come before now.
    site.pages["/"] = html(*(f"/{n}" for n in range(8, 20)), "/7")
    del site.pages["/0"]
    site.pages |= {
        "/1": Page(b"", 410),
        "/2": Page(b"", 503),
        "/3": html("/behind", text="rewritten"),
        "/4": moved("/19"),
    }
    site.requests.clear()
    second = collect(source, loopback_settings, first.known(), "second")

    outcomes = second.outcomes()
    assert {path: outcomes[path] for path in ("/", *(f"/{n}" for n in range(8)))} == {
        "/": "stored",
        "/0": "gone",
        "/1": "gone",
        "/2": "error",
        "/3": "stored",
        "/4": "redirect",
        "/5": "unchanged",
        "/6": "unchanged",
        "/7": "unchanged",
    }
    assert [outcomes[f"/{n}"] for n in range(8, 20)] == ["stored"] * 8 + ["capped"] * 4, "what is new has its room"
    assert outcomes["/behind"] == "capped" and not {"/behind", "/19"} & site.requests.keys()
    assert second.report.failure == "more pages were found than the source may hold"
    assert vanished(first.known(), second.rows, second.report) == set()


def test_a_held_page_beyond_the_depth_is_looked_at_too(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/": html("/a"), "/a": html("/b", "/c"), "/b": html(text="b", etag='"b"'), "/c": html("/d", text="c")}
    first = collect(source_of("web", site.root), loopback_settings)
    del site.pages["/c"]
    second = collect(source_of("web", site.root, max_depth=1), loopback_settings, first.known(), "second")
    assert second.outcomes() == {"/": "unchanged", "/a": "unchanged", "/b": "unchanged", "/c": "gone"}
    assert second.report.complete


def test_held_pages_are_looked_at_where_the_way_to_them_is_broken(site: Site, loopback_settings: Settings) -> None:
    site.pages = {
        "/sitemap.xml": Page(f"<urlset><url><loc>{site.root}/listed</loc></url></urlset>".encode()),
        "/": html("/linked"),
        "/linked": html("/behind", text="linked"),
        "/behind": html(text="behind"),
        "/listed": html("/from-listed", text="listed"),
        "/from-listed": html(text="from listed"),
    }
    source = source_of("web", site.root)
    first = collect(source, loopback_settings)
    assert first.report.counts == {Outcome.STORED: 5}

    del site.pages["/behind"]
    site.pages |= {
        "/": Page(b"", 404),
        "/sitemap.xml": Page(b"busy", 503, {"Retry-After": "0"}),
        "/listed": html("/from-listed", "/new", text="listed"),
        "/new": html(text="new"),
    }
    second = collect(source, loopback_settings, first.known(), "second")
    assert second.outcomes() == {
        "/": "gone",
        "/linked": "unchanged",
        "/behind": "gone",
        "/listed": "stored",
        "/from-listed": "unchanged",
        "/new": "stored",
    }
    assert second.report.unreachable and "sitemap" in second.report.failure


@pytest.mark.parametrize("robots", [Page(b"", 503), None])
def test_a_site_that_is_away_is_asked_for_none_of_its_pages(
    site: Site, loopback_settings: Settings, robots: Page | None
) -> None:
    site.pages = {"/": html("/a"), "/a": html("/b", text="a"), "/b": html(text="b")}
    source = source_of("web", site.root)
    first = collect(source, loopback_settings)

    def hangs_up(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True

    site.pages = {"/robots.txt": robots or hangs_up}
    site.requests.clear()
    second = collect(source, loopback_settings, first.known(), "second")
    assert second.outcomes() == {"/": "error"}
    assert site.requests == {"/robots.txt": 3}
    assert vanished(first.known(), second.rows, second.report) == set()


def test_what_lies_behind_a_page_without_an_answer_has_not_vanished(
    site: Site, loopback_settings: Settings, dripping: Callable[..., None]
) -> None:
    site.pages = {"/": html("/a"), "/a": html("/b", text="a"), "/b": html(text="b")}
    source = source_of("web", site.root)
    first = collect(source, loopback_settings)
    site.pages["/a"] = dripping
    settings = loopback_settings.model_copy(update={"crawl_timeout_s": 0.5})
    second = collect(source, settings, first.known(), "second")
    assert second.outcomes() == {"/": "unchanged", "/a": "error", "/b": "unchanged"}
    assert vanished(first.known(), second.rows, second.report) == set()


def test_traps_do_not_starve_the_pages_of_a_site(site: Site, loopback_settings: Settings) -> None:
    def calendar(request: BaseHTTPRequestHandler) -> None:
        month = int(request.path.rpartition("=")[2])
        links = [f"/calendar?month={month + step}" for step in range(1, 40)]
        page = html(*links, text=f"month {month}")
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.send_header("Content-Length", str(len(page.body)))
        request.end_headers()
        request.wfile.write(page.body)

    site.pages = {f"/calendar?month={n}": calendar for n in range(2000)}
    site.pages |= {f"/chain{n}": html(f"/chain{n + 1}", text=f"link {n}") for n in range(5)}
    site.pages["/"] = html("/calendar?month=0", "/chain0", *(f"/list?sort={n}" for n in range(60)), "/a/b/a/b/a/b/a/b")
    site.pages |= {f"/list?sort={n}": html(text="the same list") for n in range(60)}

    collected = collect(source_of("web", site.root, max_pages=150), loopback_settings)

    outcomes = collected.outcomes()
    assert collected.report.counts[Outcome.STORED] == 150
    assert outcomes["/chain0"] == outcomes["/chain4"] == "stored"
    assert outcomes["/a/b/a/b/a/b/a/b"] == "capped"
    assert sum(site.requests[f"/list?sort={n}"] for n in range(60)) <= 30
    assert sum(outcomes[f"/list?sort={n}"] == "capped" for n in range(60)) >= 30


def test_bodies_beyond_the_limit_are_refused_before_they_are_unpacked(site: Site, loopback_settings: Settings) -> None:
    zeros = zlib.compressobj(9, wbits=31)
    bomb = b"".join(zeros.compress(b"\0" * 10_000_000) for _ in range(30)) + zeros.flush()
    text_html = {"Content-Type": "text/html"}
    site.pages = {
        "/": html("/bomb", "/announced", "/streamed", "/broken", "/brotli", "/packed"),
        "/bomb": Page(bomb, headers=text_html | {"Content-Encoding": "gzip"}),
        "/announced": Page(b"x" * 200_001, headers=text_html),
        "/broken": Page(gzip.compress(b"<p>hello" * 999)[:-30], headers=text_html | {"Content-Encoding": "gzip"}),
        "/brotli": Page(b"whatever", headers=text_html | {"Content-Encoding": "br"}),
        "/packed": Page(gzip.compress(b"<p>packed"), headers=text_html | {"Content-Encoding": "gzip"}),
        "/streamed": endless,
    }
    settings = loopback_settings.model_copy(update={"max_fetch_bytes": 200_000})

    collected = collect(source_of("web", site.root), settings)

    assert collected.outcomes() == {
        "/": "stored",
        "/bomb": "too-big",
        "/announced": "too-big",
        "/streamed": "too-big",
        "/broken": "error",
        "/brotli": "error",
        "/packed": "stored",
    }
    assert collected.rows[f"{site.root}/packed"].body == b"<p>packed"


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/html")
    request.send_header("Connection", "close")
    request.end_headers()
    for _ in range(10_000):
        request.wfile.write(b"x" * 10_000)


def test_a_server_that_drips_bytes_meets_the_time_limit(
    site: Site, loopback_settings: Settings, dripping: Callable[..., None]
) -> None:
    site.pages = {"/": html("/drips", "/fine"), "/drips": dripping, "/fine": html(text="fine")}
    settings = loopback_settings.model_copy(update={"crawl_timeout_s": 0.5})
    collected = collect(source_of("web", site.root), settings)
    assert collected.outcomes() == {"/": "stored", "/drips": "error", "/fine": "stored"}
    assert collected.rows[f"{site.root}/drips"].reason == "no complete answer within 0.5 s"
    assert collected.report.seconds < 9


def test_a_passing_failure_is_tried_again_and_a_lasting_one_keeps_its_links(
    site: Site, loopback_settings: Settings
) -> None:
    site.pages = {
        "/": html("/flaky", "/down"),
        "/flaky": html(text="flaky"),
        "/down": html("/behind", text="down"),
        "/behind": html(text="behind", etag='"b"'),
    }
    source = source_of("web", site.root)
    first = collect(source, loopback_settings)

    def fails_once(request: BaseHTTPRequestHandler) -> None:
        site.pages["/flaky"] = html(text="flaky")
        request.send_response(503)
        request.send_header("Content-Length", "0")
        request.end_headers()

    site.pages |= {"/flaky": fails_once, "/down": Page(b"", 500)}
    site.requests.clear()
    second = collect(source, loopback_settings, first.known(), "second")

    assert second.outcomes() == {"/": "unchanged", "/flaky": "unchanged", "/down": "error", "/behind": "unchanged"}
    assert site.requests["/flaky"] == 2 and site.requests["/down"] == 3
    assert second.report.complete


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://0x7f.1:{port}/"])
def test_loopback_is_refused_unless_allowed(site: Site, loopback_settings: Settings, address: str) -> None:
    site.pages = {"/": html(text="internal")}
    settings = loopback_settings.model_copy(update={"allow_private_networks": ()})
    collected = collect(source_of("web", address.format(port=site.port)), settings)
    assert [page.outcome for page in collected.rows.values()] == [Outcome.ERROR]
    assert "not a public address" in next(iter(collected.rows.values())).reason
    assert not collected.report.complete
    assert not site.requests


def test_redirects_and_links_into_private_networks_are_refused(
    site: Site, loopback_settings: Settings, serve: Callable[[], Site]
) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as inner:
        inner.settimeout(0.1)
        targets = {
            "/metadata": "http://169.254.169.254/latest/meta-data/",
            "/ten": "http://10.0.0.1/",
            "/six": f"http://[::1]:{inner.getsockname()[1]}/",
            "/mapped": f"http://[::ffff:127.0.0.1]:{site.port}/inner",
        }
        site.pages = {"/": html(*targets), **{path: moved(target) for path, target in targets.items()}}
        hosts = ("169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:7f00:1]")
        collected = collect(source_of("web", site.root, allow_domains=hosts), loopback_settings)
        with pytest.raises(TimeoutError):
            inner.accept()
    refused = {name: page for name, page in collected.rows.items() if not name.startswith(site.root)}
    assert len(refused) == 4
    for page in refused.values():
        assert page.outcome is Outcome.ERROR and "not a public address" in page.reason


def test_an_allowed_domain_is_crawled_and_others_are_counted(
    site: Site, serve: Callable[[], Site], loopback_settings: Settings
) -> None:
    other, third = serve(), serve()
    site.pages = {"/": html(f"{other.root}/docs/", f"{other.root}/shop/", f"{third.root}/")}
    other.pages = {"/docs/": html(text="docs"), "/shop/": html(text="shop")}
    third.pages = {"/": html(text="third")}
    source = source_of("web", site.root, allow_domains=(f"127.0.0.1:{other.port}/docs/",))
    collected = collect(source, loopback_settings)
    assert set(collected.rows) == {f"{other.root}/docs/"} | {f"{site.root}/"}
    assert collected.report.off_domain_links == 2
    assert not third.requests


def test_the_pause_that_a_host_asks_for_is_kept(site: Site, loopback_settings: Settings) -> None:
    moments: list[float] = []

    def timed(page: Page) -> Callable[[BaseHTTPRequestHandler], None]:
        def answer(request: BaseHTTPRequestHandler) -> None:
            moments.append(time.monotonic())
            request.send_response(200)
            request.send_header("Content-Type", "text/html")
            request.send_header("Content-Length", str(len(page.body)))
            request.end_headers()
            request.wfile.write(page.body)

        return answer

    site.pages = {
        "/robots.txt": Page(b"User-agent: *\nCrawl-delay: 0.3"),
        "/": timed(html(*(f"/{n}" for n in range(4)))),
    }
    site.pages |= {f"/{n}": timed(html(text=f"page {n}")) for n in range(4)}
    collected = collect(source_of("web", site.root), loopback_settings)
    assert collected.report.counts == {Outcome.STORED: 5}
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) > 0.25


def test_an_unreachable_site_ends_with_a_clear_outcome(loopback_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    collected = collect(source_of("web", f"http://127.0.0.1:{port}/"), loopback_settings)
    (page,) = collected.rows.values()
    assert page.outcome is Outcome.ERROR and "connect" in page.reason
    assert not collected.report.complete


def test_an_error_of_the_caller_ends_the_crawl(site: Site, loopback_settings: Settings) -> None:
    site.pages = {"/": html(*(f"/{n}" for n in range(200)))}
    site.pages |= {f"/{n}": html(text=f"page {n}", delay_s=0.05) for n in range(200)}

    def full(page: object) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        WebConnector().collect(
            CollectionJob(source_of("web", site.root), loopback_settings, {}, "c"), full, lambda _: None
        )
    assert sum(site.requests.values()) < 50


@pytest.mark.parametrize("address", ["https://", "http://exa mple.org/", "http://a.b:99999/", "https://user:pw@a.b/"])
def test_what_is_no_usable_web_address_is_told_at_once(address: str) -> None:
    with pytest.raises(SourceError):
        kind_of(address)
