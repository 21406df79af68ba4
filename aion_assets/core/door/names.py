"""By which names a server may be asked, and which pages may act on it.

A page of any site may ask a server of this machine under a name of its own that leads to 127.0.0.1 (DNS rebinding), and
may send it forms and WebSockets. The name that was asked for stands in Host, the site of the page in Origin; a page can
forge neither.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

# Nothing but a name or address, and perhaps a port: what is read leniently may be read otherwise by another.
_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^\[\]:@/?#\\\s]+))(?::\d{1,5})?")
# No one can be asked by these.
_EVERY_INTERFACE = frozenset({"", "0.0.0.0", "::", "[::]"})


class Names:
    """Those of loopback, the address that the server listens on, and what the settings add."""

    def __init__(self, listens_on: str, allowed: Iterable[str] = ()) -> None:
        named = {name.strip().lower().rstrip(".") for name in (listens_on, *allowed)}
        self._names = named - _EVERY_INTERFACE

    def include(self, host: str) -> bool:
        """`host`: the header Host, with or without a port."""
        found = _HOST.fullmatch(host.lower())
        name = (found["v6"] or found["name"]).rstrip(".") if found else ""
        return bool(name) and (name in self._names or is_loopback(name))


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_own_page(origin: str, host: str) -> bool:
    """Whether a page of the server itself sent the request."""
    return bool(origin) and bool(host) and netloc(origin) == host.lower()


def netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""
