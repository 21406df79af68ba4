"""One spelling for each web address, and which addresses belong to a source.

Only the server knows whether `/a` and `/a/`, `/` and `/index.html`, or an address with `?model=x` are the same. They
are not rewritten here, because a rewritten address may not exist. The crawl finds such duplicates by `rel=canonical`
and by equal content.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url, safe_url_string

from aion_assets.core.errors import SourceError

MAX_URL_LENGTH = 2_048  # longer addresses come from crawler traps; servers commonly refuse them from 8 000 on
DEFAULT_PORTS = {"http": 80, "https": 443}

# Parameters that tell where a visitor came from or who it is. They never select a page.
TRACKING_PARAMETERS = frozenset(
    {
        "_ga", "_gac", "_gid", "_gl", "_hsenc", "_hsmi", "dclid", "epik", "fb_action_ids", "fb_action_types",
        "fb_source", "fbclid", "gad_source", "gbraid", "gclid", "gclsrc", "hsctatracking", "igshid", "jsessionid",
        "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "oly_anon_id", "oly_enc_id", "phpsessid", "rb_clickid",
        "s_cid", "srsltid", "ttclid", "twclid", "vero_conv", "vero_id", "wbraid", "wickedid", "yclid", "ysclid",
    }
)  # fmt: skip
TRACKING_PREFIXES = ("utm_", "pk_", "piwik_", "mtm_", "matomo_", "hsa_", "aspsessionid")

_CONTROL_OR_SPACE = "".join(map(chr, range(0x21)))
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid)=[^/;]*", re.IGNORECASE)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def canonical_url(link: str, base: str = "", encoding: str = "utf-8") -> str | None:
    """The one spelling of an http(s) address; None for everything that is not one. Never raises.

    `base` is the absolute address of the page that `link` stands in, `encoding` that page's: browsers send a query in
    it, and a path always in UTF-8.
    """
    try:
        return _canonical_url(link, base, encoding)
    except (ValueError, UnicodeError):  # raised by urllib, idna and w3lib for broken addresses
        return None


def _canonical_url(link: str, base: str, encoding: str) -> str | None:
    link = link.strip(_CONTROL_OR_SPACE).translate({9: None, 10: None, 13: None})
    if "\\" in link:  # browsers read a backslash before the query as a slash
        cut = min(position for mark in "?#" if (position := (link + mark).find(mark)) >= 0)
        link = link[:cut].replace("\\", "/") + link[cut:]
    absolute = urljoin(base, link).partition("#")[0]
    return _canonical_absolute(absolute, "utf-8" if absolute.isascii() else encoding)


@lru_cache(maxsize=50_000)  # the pages of a site mostly link to the same places
def _canonical_absolute(absolute: str, encoding: str) -> str | None:
    if len(absolute) > MAX_URL_LENGTH:
        return None
    scheme = absolute.partition(":")[0].lower()
    if scheme not in DEFAULT_PORTS:
        return None
    parts = urlsplit(_safe(absolute, encoding))
    host = parts.hostname or ""
    if not host or any(character in host for character in " %<>^`{|}\"'"):
        return None
    path = _SESSION_IN_PATH.sub("", urlsplit(canonicalize_url(f"{scheme}://x{parts.path or '/'}")).path) or "/"
    canonical = urlunsplit((scheme, _netloc(parts, scheme, host), path, _canonical_query(parts.query), ""))
    return canonical if canonical.isascii() and len(canonical) <= MAX_URL_LENGTH else None


def _safe(absolute: str, encoding: str) -> str:
    try:
        return safe_url_string(absolute, encoding)
    except (UnicodeError, LookupError):  # a character that the page's encoding does not have
        return safe_url_string(absolute)


def _netloc(parts: SplitResult, scheme: str, host: str) -> str:
    """Host and port. User name and password are dropped."""
    if ":" in host:
        host = f"[{IPv6Address(host)}]"
    else:
        host = host.rstrip(".")
        if not host or ".." in host:
            raise ValueError(host)
    port = parts.port
    if port == 0:
        raise ValueError(parts.netloc)
    return host if port in (None, DEFAULT_PORTS[scheme]) else f"{host}:{port}"


def _canonical_query(query: str) -> str:
    """Pairs are sorted and lose trackers. They keep their spelling, as `?a` and `?a=` differ for some servers."""
    pairs = [pair for pair in query.split("&") if pair and not _is_tracker(pair.partition("=")[0].lower())]
    return _ESCAPE.sub(_normal_escape, "&".join(sorted(pairs)))


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[0][1:], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _is_tracker(name: str) -> bool:
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)


def without_query(url: str) -> str:
    return url.partition("?")[0]


def origin(url: str) -> str:
    """Scheme, host and port of a canonical URL: the reach of one robots.txt."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def repeats_itself(url: str, times: int = 4) -> bool:
    """Whether a block of 1 to 4 path segments follows itself `times` times, as in the trap /a/b/a/b/a/b/a/b/."""
    segments = urlsplit(url).path.strip("/").split("/")
    for block in range(1, 5):
        run = 0
        for left, right in zip(segments, segments[block:], strict=False):
            run = run + 1 if left == right and not left.isdecimal() else 0
            if run >= block * (times - 1):
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Area:
    host: str
    port: int | None  # None: any port
    path: str
    subdomains: bool

    def contains(self, host: str, port: int | None, path: str) -> bool:
        same_host = host == self.host or (self.subdomains and host.endswith("." + self.host))
        return same_host and self.port in (None, port) and path.startswith(self.path)


class Scope:
    """Which addresses belong to a web source: those of its own host, and those of its allowed domains.

    An allowed domain is `example.org` (with its subdomains and ports), `example.org:8080`, or `example.org/docs/`. The
    last takes that part alone, so that a huge site can be split into several sources.
    """

    def __init__(self, seed: str, allow_domains: Iterable[str] = ()) -> None:
        self._areas = [self._allowed(entry) for entry in allow_domains]
        host, port, _ = _place(seed)
        if not any(area.host == host and area.path != "/" for area in self._areas):
            self._areas.append(_Area(host, port, "/", subdomains=False))
        self.hosts = tuple(dict.fromkeys(area.host for area in self._areas))

    @staticmethod
    def _allowed(entry: str) -> _Area:
        address = canonical_url(entry if "://" in entry else f"http://{entry}")
        if address is None:
            raise SourceError(
                f"{entry!r} is not a domain.", "Give a host name such as example.org or example.org/docs/."
            )
        host, port, path = _place(address)
        return _Area(host, None if port == -1 else port, path, subdomains=True)

    def contains(self, url: str) -> bool:
        """`url` is canonical."""
        host, port, path = _place(url)
        return any(area.contains(host, port, path) for area in self._areas)


def _place(url: str) -> tuple[str, int, str]:
    """Host without `www.`, port (-1 for the default port of either scheme), path."""
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www."), parts.port or -1, parts.path
