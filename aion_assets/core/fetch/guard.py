"""The one way out to the network: it resolves names, and connects only to addresses that it has checked.

The check happens when a connection is opened, on the very address that is then connected to. So it covers a name that
resolves differently a second time (DNS rebinding), a literal address in any spelling, and every hop of a redirect.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Sequence
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import httpcore

from aion_assets.core.errors import BlockedAddressError
from aion_assets.core.fetch.lookup import LOOKUP_S, lookup, lookup_async
from aion_assets.core.setting_values import Network

Address = IPv4Address | IPv6Address
SocketOptions = Iterable[Any] | None

# Special-purpose registries of IANA (RFC 6890 and its updates). `ipaddress.is_global` is not enough: it lets through
# multicast, relays and addresses that carry a private one inside.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
# Of IPv6 only global unicast is public. That excludes loopback, v4-mapped and v4-compatible, NAT64, link-local,
# site-local, unique local and multicast. Excluded inside it: IETF protocols with Teredo, documentation, and 6to4.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(ip_network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))

# Ports below 1024 belong to other services. Those above are barred by the Fetch standard: another service listens there
# and may act on what looks like its own protocol.
_WEB_PORTS = frozenset({80, 443})
_BARRED_PORTS = frozenset(
    {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
     10080, 11211}
)  # fmt: skip


def is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_V4)
    return address in _GLOBAL_UNICAST_V6 and not any(address in network for network in _NOT_PUBLIC_V6)


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    return is_public(address) or any(address in network for network in allowed)


def _checked(host: str, port: int, found: Iterable[tuple[Any, ...]], allowed: Sequence[Network]) -> list[str]:
    """The addresses of a getaddrinfo answer that may be connected to, in its order."""
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    kept = [text for text in addresses if is_allowed(ip_address(text), allowed)]
    if not kept:
        raise BlockedAddressError(
            f"{host}:{port} leads to {', '.join(addresses)}, which is not a public address.",
            "If AION is to read from it, add its network to AION_ALLOW_PRIVATE_NETWORKS, and its name to "
            "AION_PRIVATE_HOSTS if that names any or if the host was public before.",
        )
    return kept


def _check_port(host: str, port: int) -> None:
    if port in _BARRED_PORTS or (port < 1024 and port not in _WEB_PORTS):
        raise BlockedAddressError(
            f"{host}:{port} is not a port of web servers.", "Serve it on port 80, 443 or above 1023."
        )


def resolve(host: str, port: int, allowed: Sequence[Network], timeout_s: float = LOOKUP_S) -> list[str]:
    """Addresses of `host` that may be connected to; never empty.

    Raises BlockedAddressError: it has none. OSError: the name does not resolve, or not in time.
    """
    _check_port(host, port)
    return _checked(host, port, lookup(host, port, timeout_s), allowed)


async def resolve_async(host: str, port: int, allowed: Sequence[Network]) -> list[str]:
    """As `resolve`, without blocking the event loop."""
    _check_port(host, port)
    return _checked(host, port, await lookup_async(host, port), allowed)


# The host that a person named, whose private address may be connected to; a redirect may lead elsewhere.
named_host: ContextVar[str] = ContextVar("named_host", default="")


class GuardedBackend(httpcore.NetworkBackend):
    """Opens a connection for each request and ends it after `deadline_s`. Only `named_host` may be private."""

    def __init__(self, allowed: Sequence[Network], deadline_s: float) -> None:
        self._allowed = allowed
        self._deadline_s = deadline_s
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.NetworkStream:
        ends_at = time.monotonic() + self._deadline_s
        try:
            addresses = resolve(
                host, port, self._allowed if host == named_host.get() else (), min(LOOKUP_S, self._deadline_s)
            )
        except OSError as error:
            raise httpcore.ConnectError(f"{host} does not resolve: {error}") from error
        for last, address in _with_last(addresses):
            try:
                stream = self._backend.connect_tcp(
                    address, port, _left(ends_at, timeout), local_address, socket_options or ()
                )
                return _DeadlineStream(stream, ends_at)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last:
                    raise
        raise AssertionError("resolve gives at least one address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: SocketOptions = None
    ) -> httpcore.NetworkStream:
        raise BlockedAddressError(f"{path} is a local socket.")


class GuardedAsyncBackend(httpcore.AsyncNetworkBackend):
    """As GuardedBackend, but the caller bounds the time of a request. Only `private_hosts` may be private."""

    def __init__(self, allowed: Sequence[Network], private_hosts: Collection[str]) -> None:
        self._allowed = allowed
        self._private_hosts = frozenset(private_hosts)
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            is_named = host.removeprefix("www.") in self._private_hosts
            addresses = await resolve_async(host, port, self._allowed if is_named else ())
        except OSError as error:
            raise httpcore.ConnectError(f"{host} does not resolve: {error}") from error
        for last, address in _with_last(addresses):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if last:
                    raise
        raise AssertionError("resolve gives at least one address")

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: SocketOptions = None
    ) -> httpcore.AsyncNetworkStream:
        raise BlockedAddressError(f"{path} is a local socket.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _with_last(addresses: Sequence[str]) -> Iterable[tuple[bool, str]]:
    return ((position == len(addresses), address) for position, address in enumerate(addresses, start=1))


def _left(ends_at: float, timeout: float | None) -> float:
    """Seconds left for one operation. A server that sends a byte now and then must not outlast the deadline."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer took longer than the time limit")
    return left if timeout is None else min(left, timeout)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, ends_at: float) -> None:
        self._stream = stream
        self._ends_at = ends_at

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._ends_at, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._ends_at, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._ends_at, timeout))
        return _DeadlineStream(stream, self._ends_at)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
