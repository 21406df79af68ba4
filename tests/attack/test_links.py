"""One link, redirect or sitemap entry harms no other: each location has one outcome, and the others go on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import counts
import pytest
from addresses import hostile
from loopback import CountingSite, counting_site, page

from aion_assets.core.collect.connector import CollectionJob
from aion_assets.core.collect.kinds import connector_of
from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.records import CollectedPage, Outcome, Source
from aion_assets.core.settings import Settings


@pytest.fixture
def site() -> Iterator[CountingSite]:
    with counting_site() as made:
        yield made


@pytest.fixture
def quick(settings: Settings) -> Settings:
    return settings.model_copy(update={"crawl_timeout_s": 2.0, "crawl_delay_s": 0.0})


def collected(kind: str, address: str, settings: Settings) -> dict[str, CollectedPage]:
    rows: dict[str, CollectedPage] = {}
    source = Source("s1", "default", kind, address, "a source", 0, max_depth=5, max_pages=5_000)

    def emit(row: CollectedPage) -> None:
        assert row.locator not in rows, f"{row.locator} has two outcomes"
        rows[row.locator] = row

    connector_of(kind).collect(CollectionJob(source, settings, {}, "now"), emit, lambda progress: None)
    return rows


def header(address: str) -> str:
    """As the server of a test can send it: bytes of UTF-8, line breaks left out."""
    plain = address.encode("utf-8", "surrogatepass").decode("latin-1")
    return plain.replace("\n", "").replace("\r", "")[:60_000]


def uploaded(settings: Settings, files: dict[str, bytes]) -> None:
    folder = uploads_folder(settings, "s1")
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_a_link_that_redirects_anywhere_costs_no_other_upload(quick: Settings, site: CountingSite) -> None:
    targets = hostile(counts.amount(300, 3_000))
    site.answers = {f"/{n}": (302, {"Location": header(target)}, b"") for n, target in enumerate(targets)}
    site.pages["/fine"] = page("Fine", "A page that is there.")
    links = {f"l{n:05}.url": f"{site.root}/{n}".encode() for n in range(len(targets))}
    uploaded(quick, links | {"a.txt": b"first", "z.txt": b"last", "fine.url": f"{site.root}/fine".encode()})
    rows = collected("uploads", "uploads", quick)
    assert set(rows) == set(links) | {"a.txt", "z.txt", "fine.url"}
    assert {name for name, row in rows.items() if row.outcome is Outcome.STORED} == {"a.txt", "z.txt", "fine.url"}
    assert all(row.reason for row in rows.values() if row.outcome is not Outcome.STORED)
    counts.note("redirects of handed-in links to hostile addresses", len(targets))


def test_a_handed_in_link_of_any_form_costs_no_other_upload(quick: Settings) -> None:
    targets = hostile(counts.amount(300, 3_000))
    links = {f"l{n:05}.url": target.encode("utf-8", "surrogatepass") for n, target in enumerate(targets)}
    uploaded(quick, links | {"a.txt": b"first", "z.txt": b"last"})
    rows = collected("uploads", "uploads", quick)
    assert set(rows) == set(links) | {"a.txt", "z.txt"}
    assert {name for name, row in rows.items() if row.outcome is Outcome.STORED} == {"a.txt", "z.txt"}
    counts.note("handed-in links of hostile forms", len(targets))


def test_redirects_and_links_of_a_site_cost_no_other_page(quick: Settings, site: CountingSite) -> None:
    targets = hostile(counts.amount(200, 2_000))
    site.answers = {f"/r{n}": (302, {"Location": header(target)}, b"") for n, target in enumerate(targets)}
    anchors = [*(f"/r{n}" for n in range(len(targets))), *(t.replace('"', "") for t in targets), "/fine"]
    links = "".join(f'<a href="{link}">x</a>' for link in anchors)
    site.pages["/"] = f"<html><body><p>start</p>{links}</body></html>".encode("utf-8", "surrogatepass")
    site.pages["/fine"] = page("Fine", "A page that is there.")
    site.pages["/robots.txt"], site.types["/robots.txt"] = b"User-agent: *\nDisallow:\n", "text/plain"
    rows = collected("web", f"{site.root}/", quick)
    assert rows[f"{site.root}/fine"].outcome is Outcome.STORED
    assert {f"{site.root}/r{n}" for n in range(len(targets))} <= set(rows)
    counts.note("redirects and links of a crawled site to hostile addresses", 2 * len(targets))


@pytest.mark.parametrize(
    "sitemap",
    [
        "<urlset><url><loc>{}</loc></url><url><loc>{root}/fine</loc></url></urlset>",
        "<sitemapindex><sitemap><loc>{}</loc></sitemap></sitemapindex>",
    ],
)
def test_a_sitemap_of_hostile_addresses_costs_no_page(quick: Settings, site: CountingSite, sitemap: str) -> None:
    targets = [t for t in hostile(200) if "<" not in t and "&" not in t]
    body = "".join(sitemap.format(target, root=site.root) for target in targets).replace("</urlset><urlset>", "")
    body = body.replace("</sitemapindex><sitemapindex>", "")
    site.pages["/sitemap.xml"] = body.encode("utf-8", "surrogatepass")
    site.types["/sitemap.xml"] = "application/xml"
    site.pages["/"], site.pages["/fine"] = page("Start", "Start.", "/fine"), page("Fine", "A page that is there.")
    rows = collected("web", f"{site.root}/", quick)
    assert rows[f"{site.root}/fine"].outcome is Outcome.STORED
    counts.note("addresses of hostile sitemaps", len(targets))


BREAKERS: dict[str, Callable[[], object]] = {
    "a value": lambda: int("x"),
    "a missing key": lambda: {}["x"],
    "a codec": lambda: b"\xff".decode("utf-8"),
    "recursion": lambda: (_ for _ in ()).throw(RecursionError()),
    "memory": lambda: (_ for _ in ()).throw(MemoryError()),
}


@pytest.mark.parametrize("error", BREAKERS)
@pytest.mark.parametrize("kind", ["uploads", "folder", "jsonl"])
def test_whatever_one_location_raises_is_its_own_outcome(
    kind: str, error: str, quick: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash of what was read raises it; of a dump, the look at its address."""
    from aion_assets.core import ids

    def breaks_on_poison(read: bytes | str) -> str:
        if "poison" in str(read):
            BREAKERS[error]()
        return ids.content_hash(read) if isinstance(read, bytes) else read

    monkeypatch.setattr("aion_assets.core.collect.folder.content_hash", breaks_on_poison)
    monkeypatch.setattr("aion_assets.core.collect.jsonl.canonical_url", breaks_on_poison)
    folder = tmp_path / "files"
    folder.mkdir()
    if kind == "jsonl":
        lines = [b'{"id": "a", "text": "x"}', b'{"id": "b", "url": "http://poison/"}', b'{"id": "c", "text": "z"}']
        (folder / "dump.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        address = str(folder / "dump.jsonl")
    else:
        where = folder if kind == "folder" else uploads_folder(quick, "s1")
        where.mkdir(parents=True, exist_ok=True)
        for name, text in (("a.txt", b"first"), ("b.txt", b"poison"), ("c.txt", b"last")):
            (where / name).write_bytes(text)
        address = "uploads" if kind == "uploads" else str(folder)
    rows = collected(kind, address, quick)
    outcomes = sorted(row.outcome for row in rows.values())
    assert outcomes == [Outcome.ERROR, Outcome.STORED, Outcome.STORED]
    (failed,) = [row for row in rows.values() if row.outcome is Outcome.ERROR]
    assert failed.reason and "poison" not in failed.reason
    counts.note("errors that reading one location raised", 1)


def test_answers_that_are_no_http_do_not_mark_their_host_as_down(quick: Settings, site: CountingSite) -> None:
    site.answers = {f"/b{n}": (302, {"Location": "http://a.example/\x01\x7f"}, b"") for n in range(40)}
    site.pages["/"] = page("Start", "Start.", *site.answers, "/fine")
    site.pages["/fine"] = page("Fine", "A page that is there.")
    rows = collected("web", f"{site.root}/", quick)
    assert rows[f"{site.root}/fine"].outcome is Outcome.STORED
    assert all("protocol error" in rows[f"{site.root}/b{n}"].reason for n in range(40))
    counts.note("answers that are no HTTP", 40)
