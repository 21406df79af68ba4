"""Canonical addresses and the scope of a source."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aion_assets.core.errors import SourceError
from aion_assets.core.fetch.urls import Scope, canonical_url, repeats_itself

BASE = "http://base.org/dir/page.html"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("HTTP://Example.ORG:80/a/../b/./c.html#part", "http://example.org/b/c.html"),
        ("https://example.org:443", "https://example.org/"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("http://example.org/?utm_source=x&b=2&a=1&fbclid=q&gclid=z", "http://example.org/?a=1&b=2"),
        ("http://example.org/p;jsessionid=AB12?_ga=2", "http://example.org/p"),
        ("http://example.org/?print", "http://example.org/?print"),
        ("http://example.org/%7euser/%e9?x=%7e%2f", "http://example.org/~user/%E9?x=~%2F"),
        ("http://ação.br/é?q=ç", "http://xn--ao-siap.br/%C3%A9?q=%C3%A7"),
        ("http://user:secret@example.org/x", "http://example.org/x"),
        ("http://example.org./", "http://example.org/"),
        ("http://[0:0:0::1]:80/", "http://[::1]/"),
        ("http:\\\\example.org\\a?b=\\", "http://example.org/a?b=%5C"),
        ("  ../up\n.html\t", "http://base.org/up.html"),
        ("//other.org/x", "http://other.org/x"),
        ("?page=2", "http://base.org/dir/page.html?page=2"),
        ("mailto:a@b.org", None),
        ("javascript:alert(1)", None),
        ("data:text/html,hello", None),
        ("http://a.b:99999/", None),
        ("http://a.b:0/", None),
        ("http://exa mple.org/", None),
        ("http://[::1/", None),
        ("http://a..b/", None),
        ("http://example.org/" + "x" * 3000, None),
    ],
)
def test_an_address_has_one_spelling(link: str, expected: str | None) -> None:
    assert canonical_url(link, BASE) == expected


def assert_stable(link: str, base: str = BASE) -> None:
    canonical = canonical_url(link, base)
    if canonical is not None:
        assert canonical.isascii() and canonical.startswith(("http://", "https://"))
        assert canonical_url(canonical) == canonical


@given(st.text(), st.text())
def test_any_text_gives_a_stable_address_or_none(link: str, base: str) -> None:
    assert_stable(link, base)
    assert_stable("http://" + link)
    assert_stable("http://a.b/" + link)


def test_hostile_addresses_of_others_never_raise(shared_data: Path) -> None:
    for file in sorted((shared_data / "bad" / "url_wpt").glob("*urltestdata*.json")):
        for case in json.loads(file.read_text()):
            if isinstance(case, dict):
                assert_stable(case["input"], case.get("base") or "")
    for text in json.loads((shared_data / "bad" / "blns" / "blns.json").read_text()):
        for link in (text, "http://" + text, "http://a.b/" + text, "http://a.b/?" + text):
            assert_stable(link)


def test_scope_is_the_host_with_or_without_www_and_the_allowed_domains() -> None:
    scope = Scope("https://example.org/start", ["docs.other.org", "big.org/manual/", "local:8080"])
    inside = [
        "http://example.org/x", "https://www.example.org/", "https://docs.other.org/", "https://v2.docs.other.org:81/",
        "https://big.org/manual/a", "http://local:8080/",
    ]  # fmt: skip
    outside = [
        "https://sub.example.org/", "https://example.org:8443/", "https://other.org/", "https://notdocs.other.org/",
        "https://big.org/shop/", "http://local/", "https://example.org.evil.org/", "https://evilexample.org/",
    ]  # fmt: skip
    assert [url for url in inside if not scope.contains(url)] == []
    assert [url for url in outside if scope.contains(url)] == []


def test_an_allowed_path_on_the_sources_own_host_narrows_it() -> None:
    scope = Scope("https://example.org/docs/", ["example.org/docs/"])
    assert scope.contains("https://example.org/docs/a") and not scope.contains("https://example.org/shop")


def test_a_broken_domain_is_told() -> None:
    with pytest.raises(SourceError, match="not a domain"):
        Scope("https://example.org/", ["exa mple"])


@pytest.mark.parametrize(
    ("path", "is_trap"),
    [
        ("/x/x/x/x", True), ("/a/b/c/b/c/b/c/b/c", True), ("/a/b/c/b/c/b/c/d", False), ("/1/1/1/1/1", False),
        ("/docs/docs/docs", False), ("/", False),
    ],
)  # fmt: skip
def test_a_path_that_repeats_itself_is_a_trap(path: str, is_trap: bool) -> None:
    assert repeats_itself(f"http://example.org{path}") is is_trap
