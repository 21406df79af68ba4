"""Which of the hosts that a person named may be in an allowed private network.

Whoever runs the name server of a host may lead it elsewhere at any time. So what a host was when AION first heard of it
is kept: one that was public then is not led into a private network later. AION_PRIVATE_HOSTS says it of each by name.
"""

import contextlib
import json
from collections.abc import Collection
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from aion_assets.core.errors import BlockedAddressError
from aion_assets.core.fetch.guard import is_public, resolve
from aion_assets.core.fetch.lookup import lookup
from aion_assets.core.lake.durable import write_durably
from aion_assets.core.setting_values import Network
from aion_assets.core.settings import Settings

_FILE = "hosts.json"
_PUBLIC, _PRIVATE = "public", "private"


def may_be_private(host: str, names: Collection[str]) -> bool:
    """Whether AION_PRIVATE_HOSTS lets this host be in an allowed private network. `names`: its value; where it is
    empty, whatever a person named may be. An address is no name: nobody can make it lead elsewhere.
    """
    name = _plain(host)
    return not names or name in {_plain(known) for known in names} or _leads_nowhere_else(name)


def networks_of(host: str, settings: Settings) -> tuple[Network, ...]:
    """The private networks in which a host that a person named may be. Notes what it is if it was not known."""
    networks, names = settings.allow_private_networks, settings.private_hosts
    if not networks or not may_be_private(host, names):
        return ()
    known = bool(names) or _leads_nowhere_else(_plain(host))
    return networks if known or _first_seen(_plain(host), settings.home) == _PRIVATE else ()


def refusal_of(url: str, settings: Settings) -> BlockedAddressError | None:
    """Why this web address would be refused; None where it would not, or where its name does not resolve."""
    parts = urlsplit(url)
    try:
        host = parts.hostname or ""
        resolve(host, parts.port or (443 if parts.scheme == "https" else 80), networks_of(host, settings))
    except BlockedAddressError as error:
        return error
    except OSError:
        return None
    return None


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".").removeprefix("www.")


def _leads_nowhere_else(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _first_seen(host: str, home: Path) -> str:
    """Whether it was public or private when it was asked for first; "" where it does not resolve and never did."""
    from filelock import FileLock

    file = home / _FILE
    if (known := _noted(file)) is None:
        return ""  # what each host was is not known any more
    if seen := known.get(host):
        return seen
    try:
        addresses = [ip_address(entry[4][0]) for entry in lookup(host, 80)]
    except OSError:
        return ""
    found = _PUBLIC if any(map(is_public, addresses)) else _PRIVATE
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        with FileLock(home / f".{_FILE}.lock"):
            noted = {host: found} | (_noted(file) or {})
            write_durably(file, json.dumps(noted, indent=1, sort_keys=True).encode())
        return noted[host]
    return found


def complaint_of_hosts(home: Path) -> str:
    """What is wrong with what is kept of the hosts, "" where nothing is."""
    return "" if _noted(home / _FILE) is not None else f"{home / _FILE} is damaged: mend it, or delete it."


def _noted(file: Path) -> dict[str, str] | None:
    """None where it is damaged."""
    try:
        noted = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return None
    return {str(host): str(seen) for host, seen in noted.items()} if isinstance(noted, dict) else None
