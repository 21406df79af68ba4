"""What the answer of a web server means for the location that was asked for."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from aion_assets.core.fetch.media import filename_of, type_of_answer
from aion_assets.core.ids import content_hash
from aion_assets.core.records import CollectedPage, KnownPage, Outcome

_log = logging.getLogger(__name__)

REDIRECTS = frozenset({301, 302, 303, 307, 308})
# A later attempt may succeed: the server, or a proxy before it, is busy.
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_BODY_IS_HELD = frozenset({Outcome.STORED, Outcome.UNCHANGED, Outcome.ERROR, Outcome.CAPPED})


@dataclass(slots=True)
class Answer:
    """`headers` have lower-case names. `body` is decompressed, and b"" where the headers alone ruled it out."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


def body_is_held(known: KnownPage | None) -> bool:
    """Whether the body of the last successful visit is still stored. Only then is "not modified" of use."""
    return known is not None and bool(known.content_hash) and known.outcome in _BODY_IS_HELD


def may_say_not_modified(known: KnownPage) -> bool:
    """True for a duplicate, too. Its own body is not stored, but it is unchanged when its original is."""
    return body_is_held(known) or (known.outcome is Outcome.DUPLICATE and bool(known.links))


def conditional_headers(known: KnownPage) -> dict[str, str]:
    headers = {}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    return headers


def judge(locator: str, url: str, answer: Answer, known: KnownPage | None, depth: int = 0) -> CollectedPage:
    """The outcome of one location by its own answer. The caller judges redirects.

    Pass `known` when a "not modified" may be believed.
    """
    page = CollectedPage(
        locator=locator,
        url=url,
        outcome=Outcome.ERROR,
        status=answer.status,
        fetched_at=datetime.now(UTC),
        depth=depth,
    )
    if answer.status == HTTPStatus.NOT_MODIFIED and known is not None:
        _carry_over(page, answer, known)
    elif answer.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        page.outcome, page.reason = Outcome.GONE, _phrase(answer.status)
    elif answer.status != HTTPStatus.OK:
        page.reason = _phrase(answer.status)
    else:
        _judge_body(page, answer, known)
    return page


def failed(locator: str, url: str, outcome: Outcome, reason: str, known: KnownPage | None = None) -> CollectedPage:
    """A location that gave no page. Links that an earlier visit found are kept, so that they are still followed."""
    return CollectedPage(
        locator=locator,
        url=url,
        outcome=outcome,
        reason=reason,
        fetched_at=datetime.now(UTC),
        links=known.links if known else (),
    )


def unforeseen(error: Exception) -> str:
    """The reason to record for a location on which our own code or a library failed; call it while `error` is handled.

    What strangers wrote may make any of them raise anything. That is the outcome of this location alone, and the others
    go on. The message of the error may hold the stranger's text, so it goes to the log only.
    """
    _log.warning("a location could not be read", exc_info=error)
    return f"it cannot be read ({type(error).__name__})"


def _judge_body(page: CollectedPage, answer: Answer, known: KnownPage | None) -> None:
    declared = answer.headers.get("content-type", "")
    page.filename = filename_of(page.url, answer.headers)
    page.content_type = type_of_answer(declared, page.filename, answer.body)
    if not page.content_type:
        page.outcome, page.reason = Outcome.WRONG_TYPE, f"{declared[:100] or 'no type'} is not a type that is taken"
        page.content_type = declared
        return
    if not answer.body.strip():
        page.reason = "the server sent an empty body"
        return
    _note_validators(page, answer)
    page.content_hash = content_hash(answer.body)
    page.size_bytes = len(answer.body)
    if known is not None and known.content_hash == page.content_hash:
        page.outcome = Outcome.UNCHANGED
    else:
        page.outcome, page.body = Outcome.STORED, answer.body


def _note_validators(page: CollectedPage, answer: Answer) -> None:
    """Ignore the validators of an error page: sent back later, they would pass off the stored body as current."""
    page.etag = answer.headers.get("etag", "")
    page.last_modified = answer.headers.get("last-modified", "")


def _carry_over(page: CollectedPage, answer: Answer, known: KnownPage) -> None:
    """Keep what the server said before: a 304 need not repeat it."""
    _note_validators(page, answer)
    page.outcome = Outcome.UNCHANGED
    page.etag = page.etag or known.etag
    page.last_modified = page.last_modified or known.last_modified
    page.content_hash = known.content_hash
    page.size_bytes = known.size_bytes
    page.links = known.links


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status}"
