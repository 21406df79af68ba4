"""Gates before the pages of a site: a redirect that hands out a cookie and leads back to where it began.

Browsers bring the cookie along at the second request and see the page. Cookies live for one collection and one host.
They are only sent where a gate asked for them, because other cookies may change what later pages show.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

from aion_assets.core.collect.responses import REDIRECTS, Answer
from aion_assets.core.errors import FetchError
from aion_assets.core.fetch.urls import canonical_url, origin

_MAX_STEPS = 5
# A host that hands out cookies with every redirect has no gate: so many chains led elsewhere.
_MAX_VAIN_TRIES = 5
_BETWEEN_COOKIES = re.compile(r",\s*(?=[^;,=\s]+=)")  # not the comma of a date
_EXPIRED = re.compile(r";\s*max-age\s*=\s*(?:0|-\d+)\s*(?:;|$)", re.IGNORECASE)
_SECURE = re.compile(r";\s*secure\s*(?:;|$)", re.IGNORECASE)
_MAX_COOKIES = 50
_MAX_COOKIE_CHARS = 4_096

Fetch = Callable[[str, dict[str, str]], Awaitable[Answer]]
MayVisit = Callable[[str], Awaitable[bool]]


class Gates:
    def __init__(self) -> None:
        self._cookies: defaultdict[str, dict[str, str]] = defaultdict(dict)  # origin → name → value
        self._vain: Counter[str] = Counter()

    def headers_for(self, url: str) -> dict[str, str]:
        return _header(self._cookies.get(origin(url), {}))

    async def pass_through(self, url: str, answer: Answer, fetch: Fetch, may_visit: MayVisit) -> Answer:
        """The answer behind the gate at `url`, or `answer` where it is none."""
        host = origin(url)
        if not _may_be_gate(url, answer) or self._vain[host] >= _MAX_VAIN_TRIES:
            return answer
        cookies = dict(self._cookies[host])
        at, step = url, answer
        for _ in range(_MAX_STEPS):
            _take(cookies, step, at)
            at = canonical_url(step.headers.get("location", ""), at) or ""
            if origin(at) != host or not await may_visit(at):
                break
            try:
                step = await fetch(at, _header(cookies))
            except FetchError:  # the visit of that address says why
                break
            if at == url and step.status not in REDIRECTS:
                self._cookies[host] = cookies
                return step
            if step.status not in REDIRECTS:
                break
        self._vain[host] += 1
        return answer


def _may_be_gate(url: str, answer: Answer) -> bool:
    """Whether a redirect hands out a cookie, or leads to an address that is told where to lead back to."""
    if "set-cookie" in answer.headers:
        return True
    query = urlsplit(canonical_url(answer.headers.get("location", ""), url) or "").query
    return any(canonical_url(value, url) == url for _, value in parse_qsl(query))


def _take(cookies: dict[str, str], answer: Answer, url: str) -> None:
    for cookie in _BETWEEN_COOKIES.split(answer.headers.get("set-cookie", "")):
        name, equals, value = cookie.partition(";")[0].partition("=")
        if (
            not equals
            or len(cookie) > _MAX_COOKIE_CHARS
            or (_SECURE.search(cookie) and urlsplit(url).scheme != "https")
        ):
            continue
        if _EXPIRED.search(cookie):
            cookies.pop(name.strip(), None)
        elif len(cookies) < _MAX_COOKIES:
            cookies[name.strip()] = value.strip()


def _header(cookies: dict[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
