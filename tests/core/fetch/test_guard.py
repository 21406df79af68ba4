"""The guard: what is public, what is connected to, and what a client of it can be made to do."""

import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network

import httpx
import pytest
from collecting import Page, Site, html, moved
from deadlines import duration_s, is_in_time

from aion_assets.core.errors import BlockedAddressError, FetchError
from aion_assets.core.fetch.client import TooBigError, guarded_client
from aion_assets.core.fetch.guard import is_public, resolve
from aion_assets.core.fetch.named_hosts import networks_of
from aion_assets.core.settings import Settings

HOSTILE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"]


def test_only_addresses_that_the_registries_call_public_are_public() -> None:
    assert [address for address in HOSTILE if is_public(ip_address(address))] == []
    assert [address for address in PUBLIC if not is_public(ip_address(address))] == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "017700000001", "127.1", "::1", "0", "::ffff:127.0.0.1"]
)
def test_every_spelling_of_loopback_is_refused(host: str) -> None:
    with pytest.raises(BlockedAddressError, match="AION_ALLOW_PRIVATE_NETWORKS"):
        resolve(host, 80, ())


def test_an_allowed_network_opens_no_other() -> None:
    allowed = [ip_network("127.0.0.0/8")]
    assert resolve("127.0.0.1", 80, allowed) == ["127.0.0.1"]
    assert resolve("localhost", 80, allowed) == ["127.0.0.1"], "::1 is not in the list"
    with pytest.raises(BlockedAddressError):
        resolve("10.0.0.1", 80, allowed)


@pytest.mark.parametrize("port", [22, 25, 110, 6379, 6000, 11211])
def test_ports_of_other_services_are_refused(port: int) -> None:
    with pytest.raises(BlockedAddressError, match="not a port of web servers"):
        resolve("1.1.1.1", port, ())


@pytest.fixture
def answers_of_dns(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that a hostile name server gives one after the other, whatever it is asked."""
    answers: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *arguments: object, **options: object) -> object:
        if host == "rebinding.example":
            host = answers.pop(0)
        return real(host, port, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers


def test_a_name_that_turns_private_is_refused(
    site: Site, loopback_settings: Settings, answers_of_dns: list[str]
) -> None:
    site.pages["/"] = html(text="internal")
    answers_of_dns += ["127.0.0.1", "127.0.0.1", "10.0.0.1"]
    assert networks_of("rebinding.example", loopback_settings), "asked for once, to know what kind of host it is"
    with guarded_client(loopback_settings) as client:
        assert client.get(f"http://rebinding.example:{site.port}/").status_code == 200
        with pytest.raises(BlockedAddressError, match=r"10\.0\.0\.1"):
            client.get(f"http://rebinding.example:{site.port}/")
    assert not answers_of_dns, "the name is resolved once for each connection, and that answer is used"


def test_each_hop_of_a_redirect_is_checked(site: Site, loopback_settings: Settings) -> None:
    site.pages = {
        "/ok": moved("/page"),
        "/page": html(text="page"),
        "/inside": moved("http://169.254.169.254/latest/meta-data/"),
        "/file": moved("file:///etc/passwd"),
        "/round": moved("/round"),
    }
    with guarded_client(loopback_settings) as client:
        assert client.get(f"{site.root}/ok").url.path == "/page"
        with pytest.raises(BlockedAddressError, match=r"169\.254\.169\.254"):
            client.get(f"{site.root}/inside")
        with pytest.raises((FetchError, httpx.UnsupportedProtocol)):
            client.get(f"{site.root}/file")
        with pytest.raises(httpx.TooManyRedirects):
            client.get(f"{site.root}/round")


def test_a_proxy_of_the_environment_is_not_used(
    site: Site, loopback_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/"] = html(text="page")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    with guarded_client(loopback_settings) as client:
        assert client.get(site.root).status_code == 200


def pack(body: bytes, wbits: int) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"hello " * 9)),
        ("x-gzip", gzip.compress(b"hello " * 4) + gzip.compress(b"hello " * 5) + b"\0\0"),
        ("deflate", zlib.compress(b"hello " * 9)),
        ("deflate", pack(b"hello " * 9, -15)),
        ("identity", b"hello " * 9),
    ],
)
def test_packed_bodies_are_unpacked(site: Site, loopback_settings: Settings, encoding: str, packed: bytes) -> None:
    site.pages["/"] = Page(packed, headers={"Content-Type": "text/plain", "Content-Encoding": encoding})
    with guarded_client(loopback_settings) as client:
        assert client.get(site.root).content == b"hello " * 9


def test_a_bomb_is_refused_in_bounded_memory(site: Site, loopback_settings: Settings) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(10_000_000)) for _ in range(50)) + packer.flush()
    site.pages["/"] = Page(bomb, headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})
    settings = loopback_settings.model_copy(update={"max_fetch_bytes": 1_000_000})
    with guarded_client(settings) as client:
        tracemalloc.start()
        with pytest.raises(TooBigError):
            client.get(site.root)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 8_000_000


def test_one_request_ends_at_its_deadline(
    site: Site, loopback_settings: Settings, dripping: Callable[..., None], dripping_headers: Callable[..., None]
) -> None:
    site.pages = {"/body": dripping, "/headers": dripping_headers}
    settings = loopback_settings.model_copy(update={"crawl_timeout_s": 0.5})
    for path in site.pages:

        def fetched(address: str = site.root + path) -> None:
            with guarded_client(settings) as client, pytest.raises(httpx.TimeoutException):
                client.get(address)

        assert is_in_time(2, partial(duration_s, fetched))
