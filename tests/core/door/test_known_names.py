"""By which names a server may be asked."""

import pytest

from aion_assets.core.door.names import Names, is_own_page


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:3000", "localhost.", "127.0.0.1", "127.0.0.1:8000", "127.9.9.9", "[::1]", "[::1]:80"],
)
def test_loopback_is_known_by_all_its_names(host: str) -> None:
    assert Names("127.0.0.1").include(host)


@pytest.mark.parametrize(
    "host",
    ["", " ", "evil.example", "[::1]x", "[::1", "::1", "x@localhost", "localhost/x", "localhost:x", "localhost#",
     "0.0.0.0", "127.0.0.1.evil.example", "localhost:1:2", "local host", "[::]", "2130706433", "[::ffff:10.0.0.1]",
     "localhost\\x"],
)  # fmt: skip
def test_no_other_name_is_known(host: str) -> None:
    assert not Names("127.0.0.1").include(host)
    assert not Names("0.0.0.0").include(host), "to listen everywhere adds no name"


def test_the_settings_add_names() -> None:
    names = Names("192.0.2.7", ("Knowledge.example.org", " aion.lan. "))
    assert all(
        names.include(host) for host in ("knowledge.example.org", "aion.lan:8000", "192.0.2.7:8000", "localhost")
    )
    assert not names.include("other.example.org") and not names.include("192.0.2.8")


def test_an_own_page_has_the_origin_that_was_asked() -> None:
    assert is_own_page("http://127.0.0.1:3000", "127.0.0.1:3000")
    for origin in ("", "null", "http://127.0.0.1", "http://127.0.0.1:30000", "http://localhost:3000", "http://[::"):
        assert not is_own_page(origin, "127.0.0.1:3000"), origin
    assert not is_own_page("", "")
