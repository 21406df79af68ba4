"""HTTP clients that reach the network only through the guard and give bodies of bounded size.

The limit counts bytes after decompression, and decompression itself stops at it. A few kilobytes that would unpack to
gigabytes never do.
"""

import zlib
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import brotli
import httpcore
import httpx

from aion_assets.core.errors import BlockedAddressError, FetchError
from aion_assets.core.fetch.guard import GuardedAsyncBackend, GuardedBackend, named_host
from aion_assets.core.fetch.named_hosts import networks_of
from aion_assets.core.setting_values import Network
from aion_assets.core.settings import Settings

MAX_REDIRECTS = 10
# The encodings that `_Unpacker` can stop in the middle of.
ACCEPT_ENCODING = "gzip, deflate"
ACCEPT_LANGUAGE = "pt-BR, pt;q=0.9, en;q=0.8, *;q=0.5"


class TooBigError(FetchError):
    """A body is larger than the limit."""


def guarded_client(settings: Settings) -> httpx.Client:
    """A client for single links. It follows redirects and checks each. One request takes `crawl_timeout_s` at most.

    Its requests raise BlockedAddressError, TooBigError, and what httpx raises.
    """
    return _NamingClient(
        settings,
        transport=GuardedTransport(
            settings.allow_private_networks, settings.max_fetch_bytes, deadline_s=settings.crawl_timeout_s
        ),
        headers={
            "User-Agent": settings.user_agent,
            "Accept-Encoding": ACCEPT_ENCODING,
            "Accept-Language": ACCEPT_LANGUAGE,
        },
        timeout=settings.crawl_timeout_s,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        trust_env=False,  # a proxy named in the environment would connect out of the guard's sight
    )


class _NamingClient(httpx.Client):
    """Of one request with its redirects, only the host that the caller named may be one of the private networks."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        host = request.url.raw_host.decode("ascii").strip("[]")
        token = named_host.set(host if networks_of(host, self._settings) else "")
        try:
            return super().send(request, **options)
        finally:
            named_host.reset(token)


class GuardedTransport(httpx.BaseTransport):
    """One connection for each request, given up `deadline_s` after it was opened."""

    def __init__(self, allowed: Sequence[Network], max_bytes: int, deadline_s: float) -> None:
        self._max_bytes = max_bytes
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_keepalive_connections=0,
            network_backend=GuardedBackend(allowed, deadline_s),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _httpx_errors():
            answer = self._pool.handle_request(_core_request(request))
        return httpx.Response(
            answer.status, headers=_unpacked_headers(answer), stream=_BoundedStream(answer, self._max_bytes)
        )

    def close(self) -> None:
        self._pool.close()


class GuardedAsyncTransport(httpx.AsyncBaseTransport):
    """Keeps connections for the next request to the same host. The caller bounds the time of a request."""

    def __init__(self, allowed: Sequence[Network], private_hosts: Collection[str], max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=None,  # Scrapy bounds it for each host
            max_keepalive_connections=32,
            keepalive_expiry=5.0,
            network_backend=GuardedAsyncBackend(allowed, private_hosts),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _httpx_errors():
            answer = await self._pool.handle_async_request(_core_request(request))
        return httpx.Response(
            answer.status, headers=_unpacked_headers(answer), stream=_AsyncBoundedStream(answer, self._max_bytes)
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _BoundedStream(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response, max_bytes: int) -> None:
        self._answer = answer
        self._max_bytes = max_bytes

    def __iter__(self) -> Iterator[bytes]:
        unpacker = _Unpacker(self._answer, self._max_bytes)
        with _httpx_errors():
            for packed in self._answer.iter_stream():
                yield from unpacker.feed(packed)
        unpacker.end()

    def close(self) -> None:
        self._answer.close()


class _AsyncBoundedStream(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, max_bytes: int) -> None:
        self._answer = answer
        self._max_bytes = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        unpacker = _Unpacker(self._answer, self._max_bytes)
        with _httpx_errors():
            async for packed in self._answer.aiter_stream():
                for piece in unpacker.feed(packed):
                    yield piece
        unpacker.end()

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Unpacker:
    """Decodes the content encoding piece by piece.

    Raises TooBigError: more than `max_bytes` came out. httpx.RemoteProtocolError: the packed body is broken or cut off.
    """

    def __init__(self, answer: httpcore.Response, max_bytes: int) -> None:
        self._left = self._max_bytes = max_bytes
        self._brotli: brotli.Decompressor | None = None
        encoding = _header(answer, b"content-encoding").strip().lower()
        self._may_be_raw = encoding == "deflate"  # some servers leave out the zlib header, and browsers take it
        if encoding in ("", "identity"):
            self._zlib = None
            length = _header(answer, b"content-length")
            if length.isdecimal() and int(length) > max_bytes:
                raise self._too_big()
        elif encoding == "br":  # some caches send what they hold, whoever asks
            self._zlib, self._brotli = None, brotli.Decompressor()
        elif encoding in ("gzip", "x-gzip", "deflate"):
            self._zlib = zlib.decompressobj(_ZLIB_OR_GZIP)
        else:
            raise FetchError(f"The body is encoded as {encoding[:40]!r}, though only {ACCEPT_ENCODING} was asked for.")

    def feed(self, packed: bytes) -> Iterator[bytes]:
        if self._brotli is not None:
            yield from self._feed_brotli(self._brotli, packed)
            return
        if self._zlib is None:
            yield self._counted(packed)
            return
        while packed:
            limit = min(self._left + 1, _PIECE_BYTES)
            try:
                piece = self._zlib.decompress(packed, limit)
            except zlib.error as error:
                if self._may_be_raw:
                    self._may_be_raw, self._zlib = False, zlib.decompressobj(-zlib.MAX_WBITS)
                    continue
                raise httpx.RemoteProtocolError(f"the packed body is broken: {error}") from error
            self._may_be_raw = False
            packed = self._zlib.unconsumed_tail
            yield self._counted(piece)
            if self._zlib.eof:
                packed = self._zlib.unused_data.lstrip(b"\0")
                if not packed.startswith(_GZIP_MAGIC):
                    return  # padding after the end, which every browser ignores
                self._zlib = zlib.decompressobj(_ZLIB_OR_GZIP)

    def _feed_brotli(self, decoder: brotli.Decompressor, packed: bytes) -> Iterator[bytes]:
        try:
            piece = decoder.process(packed, output_buffer_limit=_PIECE_BYTES)
            yield self._counted(piece)
            while not decoder.can_accept_more_data() and not decoder.is_finished():
                piece = decoder.process(b"", output_buffer_limit=_PIECE_BYTES)
                yield self._counted(piece)
        except brotli.error as error:
            raise httpx.RemoteProtocolError(f"the packed body is broken: {error}") from error

    def end(self) -> None:
        if self._brotli is not None and not self._brotli.is_finished():
            raise httpx.RemoteProtocolError("the packed body is cut off")
        if self._zlib is not None and not self._zlib.eof and self._left < self._max_bytes:
            raise httpx.RemoteProtocolError("the packed body is cut off")

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise self._too_big()
        return piece

    def _too_big(self) -> TooBigError:
        return TooBigError(f"The body is larger than {self._max_bytes} bytes.", "AION_MAX_FETCH_BYTES is the limit.")


_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
_GZIP_MAGIC = b"\x1f\x8b"
_PIECE_BYTES = 1 << 18


def _core_request(request: httpx.Request) -> httpcore.Request:
    if request.url.scheme not in ("http", "https"):
        raise BlockedAddressError(f"{request.url.scheme}: is not a web address.", "Only http and https are fetched.")
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _header(answer: httpcore.Response, name: bytes) -> str:
    return b", ".join(value for key, value in answer.headers if key.lower() == name).decode("latin-1")


def _unpacked_headers(answer: httpcore.Response) -> list[tuple[bytes, bytes]]:
    """The headers, corrected for the decoded body."""
    return [
        (key, value) for key, value in answer.headers if key.lower() not in (b"content-encoding", b"content-length")
    ]


@contextmanager
def _httpx_errors() -> Iterator[None]:
    """Raise errors of httpcore as the httpx errors of the same names, which callers expect."""
    try:
        yield
    except _HTTPCORE_ERRORS as error:
        raise getattr(httpx, type(error).__name__)(str(error) or type(error).__name__) from error


_HTTPCORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)
