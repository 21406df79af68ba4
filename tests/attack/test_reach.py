"""A private network is open to the host that a person named, and to nothing that a page names."""

import contextlib
import socket
from collections.abc import Iterator

import counts
import pytest
from loopback import CountingSite, counting_site, page

from aion_assets.core.collect.connector import CollectionJob
from aion_assets.core.collect.kinds import connector_of
from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.fetch.named_hosts import may_be_private, networks_of, refusal_of
from aion_assets.core.records import CollectedPage, Outcome, Source
from aion_assets.core.settings import Settings


@pytest.fixture
def site() -> Iterator[CountingSite]:
    with counting_site() as made:
        yield made


@pytest.fixture
def internal() -> Iterator[CountingSite]:
    """What another source may read. On this machine it has another name, as in a network it has another address."""
    with counting_site() as made:
        made.pages = {"/": page("Internal", "What only the source of this site may read.")}
        made.pages["/sitemap.xml"] = b"<urlset><url><loc>http://localhost/x</loc></url></urlset>"
        yield made


def collected(kind: str, address: str, settings: Settings, **options: object) -> dict[str, CollectedPage]:
    rows: dict[str, CollectedPage] = {}
    source = Source("s1", "default", kind, address, "a source", 0, 5, 1_000, **options)  # type: ignore[arg-type]

    def emit(row: CollectedPage) -> None:
        rows[row.locator] = row

    connector_of(kind).collect(CollectionJob(source, settings, {}, "now"), emit, lambda progress: None)
    return rows


def elsewhere(internal: CountingSite) -> str:
    return internal.root.replace("127.0.0.1", "localhost")


def test_a_redirect_of_a_handed_in_link_reaches_no_other_private_host(
    settings: Settings, site: CountingSite, internal: CountingSite
) -> None:
    site.answers = {
        f"/{status}": (status, {"Location": f"{elsewhere(internal)}/"}, b"") for status in (301, 302, 303, 307, 308)
    }
    site.pages["/own"] = page("Own", "The page of the host that was named.")
    site.answers["/round"] = (302, {"Location": f"{site.root}/own"}, b"")
    folder = uploads_folder(settings, "s1")
    folder.mkdir(parents=True)
    for name in ("301", "302", "303", "307", "308", "round"):
        (folder / f"{name}.url").write_text(f"{site.root}/{name}")
    (folder / "named.url").write_text(f"{elsewhere(internal)}/")
    rows = collected("uploads", "uploads", settings)
    assert rows["round.url"].outcome is rows["named.url"].outcome is Outcome.STORED
    for status in (301, 302, 303, 307, 308):
        assert rows[f"{status}.url"].outcome is Outcome.ERROR
        assert "not a public address" in rows[f"{status}.url"].reason
    assert internal.asked["/"] == 1, "once, for the link that names it"
    counts.note("ways from one site to a private host of another", 5)


def test_sitemaps_robots_and_redirects_of_a_site_reach_no_other_private_host(
    settings: Settings, site: CountingSite, internal: CountingSite
) -> None:
    other = elsewhere(internal)
    site.pages["/robots.txt"] = f"User-agent: *\nSitemap: {other}/sitemap.xml\nSitemap: {site.root}/map".encode()
    site.types["/robots.txt"] = "text/plain"
    site.pages["/map"] = f"<sitemapindex><sitemap><loc>{other}/deep.xml</loc></sitemap></sitemapindex>".encode()
    site.types["/map"] = "application/xml"
    site.answers["/sitemap.xml"] = (302, {"Location": f"{other}/sitemap.xml"}, b"")
    site.answers["/away"] = (302, {"Location": f"{other}/"}, b"")
    site.pages["/"] = page("Start", "Start.", "/away", f"{other}/", "/fine")
    site.pages["/fine"] = page("Fine", "A page that is there.")
    rows = collected("web", f"{site.root}/", settings)
    assert rows[f"{site.root}/fine"].outcome is Outcome.STORED
    assert not internal.asked
    counts.note("ways from one site to a private host of another", 5)


def test_a_second_host_that_the_source_names_is_read(
    settings: Settings, site: CountingSite, internal: CountingSite
) -> None:
    other = elsewhere(internal)
    site.pages["/"] = page("Start", "Start.", f"{other}/")
    rows = collected("web", f"{site.root}/", settings, allow_domains=(other.removeprefix("http://"),))
    assert rows[f"{other}/"].outcome is Outcome.STORED


def own_name() -> str:
    """A name that leads to this machine, and could lead anywhere."""
    name = socket.gethostname()
    with contextlib.suppress(OSError):
        if not socket.gethostbyname(name).startswith("127."):
            pytest.skip("this machine's name does not lead to loopback")
    return name


def test_a_host_that_was_public_is_not_led_into_a_private_network_later(
    settings: Settings, site: CountingSite, internal: CountingSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though AION_PRIVATE_HOSTS is empty. One that was private when it was named stays so."""
    name = own_name()
    led_here = elsewhere(internal).replace("localhost", name)
    with monkeypatch.context() as patch:  # what its name server says today
        public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))]
        patch.setattr(socket, "getaddrinfo", lambda *asked, **how: public)
        assert refusal_of(f"{led_here}/", settings) is None
    link = uploads_folder(settings, "s1") / "led.url"
    link.parent.mkdir(parents=True)
    link.write_text(f"{led_here}/")
    for kind, address in (("uploads", "uploads"), ("web", f"{led_here}/")):
        (row,) = collected(kind, address, settings).values()
        assert row.outcome is Outcome.ERROR and "not a public address" in row.reason
    assert not internal.asked
    counts.note("ways from one site to a private host of another", 2)
    fresh = settings.model_copy(update={"home": settings.home / "fresh"})
    assert collected("web", f"{led_here}/", fresh)[f"{led_here}/"].outcome is Outcome.STORED
    with monkeypatch.context() as patch:  # its name server is silent for a moment
        patch.setattr(socket, "getaddrinfo", lambda *asked, **how: (_ for _ in ()).throw(OSError("no answer")))
        assert networks_of(name, fresh) == fresh.allow_private_networks
        assert networks_of("nobody.example", fresh) == ()


def test_where_private_hosts_are_named_no_other_name_is_led_there_whatever_its_name_server_says(
    settings: Settings, site: CountingSite, internal: CountingSite
) -> None:
    """A host of the public is named in a source, and later its name leads to this machine."""
    name = own_name()
    led_here = elsewhere(internal).replace("localhost", name)
    named = settings.model_copy(update={"private_hosts": ("intranet.example",)})
    link = uploads_folder(settings, "s1") / "led.url"
    link.parent.mkdir(parents=True)
    link.write_text(f"{led_here}/")
    for kind, address in (("uploads", "uploads"), ("web", f"{led_here}/")):
        (row,) = collected(kind, address, named).values()
        assert row.outcome is Outcome.ERROR
    assert not internal.asked
    led = settings.model_copy(update={"private_hosts": (name.upper(),)})
    assert collected("web", f"{led_here}/", led)[f"{led_here}/"].outcome is Outcome.STORED
    assert may_be_private("Intranet.example.", named.private_hosts) and may_be_private("10.0.0.7", named.private_hosts)
    assert not may_be_private("intranet.example.evil.example", named.private_hosts)
    counts.note("ways from one site to a private host of another", 2)
