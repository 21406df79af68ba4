"""The protocol between the crawler's process and its parent: frames of a JSON header and a body, over a pipe.

JSON, not pickle: the child reads what strangers wrote, and nothing that it sends may run in the parent.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from ipaddress import ip_network
from itertools import islice
from typing import IO, Any

from aion_assets.core.process.frames import read_frame, write_frame
from aion_assets.core.records import CollectedPage, KnownPage, Outcome
from aion_assets.core.setting_values import Network

_KNOWN_PER_FRAME = 500
SendRow = Callable[[CollectedPage, int], Awaitable[None]]
SendReading = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reading:
    """The crawler begins to read what the page at `url` says; "": it has read it."""

    url: str


@dataclass(frozen=True, slots=True)
class CrawlJob:
    """Everything that the crawler needs to know of a source and of the settings."""

    seed: str
    allow_domains: tuple[str, ...]
    max_depth: int
    max_pages: int
    collection_id: str
    user_agent: str
    delay_s: float
    concurrency: int
    timeout_s: float
    max_fetch_bytes: int
    allowed_networks: tuple[Network, ...] = ()
    private_hosts: tuple[str, ...] = ()


@dataclass(slots=True)
class CrawlEnd:
    """What the crawler reports at the end, beside the rows it sent."""

    failure: str = ""
    unreachable: bool = False
    fetched_bytes: int = 0
    off_domain_links: int = 0
    unlisted: int = 0
    resumed: int = 0


def send_job(stream: IO[bytes], job: CrawlJob, known: Mapping[str, KnownPage]) -> None:
    header = asdict(job) | {"allowed_networks": [str(network) for network in job.allowed_networks]}
    write_frame(stream, header)
    pages = iter(known.values())
    while batch := list(islice(pages, _KNOWN_PER_FRAME)):
        write_frame(stream, {"known": [_plain(page) for page in batch]})
    write_frame(stream, {})


def receive_job(stream: IO[bytes]) -> tuple[CrawlJob, dict[str, KnownPage]]:
    """Raises EOFError: the sender ended."""
    header = _next(stream)
    header["allow_domains"] = tuple(header["allow_domains"])
    header["private_hosts"] = tuple(header["private_hosts"])
    header["allowed_networks"] = tuple(ip_network(text) for text in header["allowed_networks"])
    known: dict[str, KnownPage] = {}
    while entries := _next(stream):
        for entry in entries["known"]:
            known[entry["locator"]] = KnownPage(**(entry | {"outcome": Outcome(entry["outcome"])}))
    return CrawlJob(**header), known


def _plain(page: KnownPage) -> dict[str, Any]:
    return {item.name: getattr(page, item.name) for item in fields(page)} | {"links": list(page.links)}


def _next(stream: IO[bytes]) -> dict[str, Any]:
    frame = read_frame(stream)
    if frame is None:
        raise EOFError("the job ended early")
    return frame[0]


def send_page(stream: IO[bytes], page: CollectedPage, queued: int) -> None:
    header = {item.name: getattr(page, item.name) for item in fields(page) if item.name != "body"}
    header["links"] = list(page.links)
    header["fetched_at"] = page.fetched_at.isoformat() if page.fetched_at else None
    write_frame(stream, {"page": header, "has_body": page.body is not None, "queued": queued}, page.body or b"")


def send_reading(stream: IO[bytes], url: str) -> None:
    write_frame(stream, {"reading": url})


def send_end(stream: IO[bytes], end: CrawlEnd) -> None:
    write_frame(stream, {"end": asdict(end)})


def receive_rows(stream: IO[bytes]) -> Iterator[tuple[CollectedPage, int] | Reading | CrawlEnd]:
    """Rows with the length of the queue, then the end. The end is missing when the sender died."""
    while (frame := read_frame(stream)) is not None:
        header, body = frame
        if "end" in header:
            yield CrawlEnd(**header["end"])
            return
        if "reading" in header:
            yield Reading(header["reading"])
            continue
        page = header["page"]
        page["outcome"] = Outcome(page["outcome"])
        page["fetched_at"] = datetime.fromisoformat(page["fetched_at"]) if page["fetched_at"] else None
        yield CollectedPage(**page, body=body if header["has_body"] else None), header["queued"]
