"""Uploads: files and links that people hand in, kept in a folder of AION's home.

A .url file holds one web address, bare or in the form that browsers save. It stands for the page at that address.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from aion_assets.core.collect.connector import CollectionJob, CollectionReport, Emit, ReportProgress
from aion_assets.core.collect.folder import FolderVisit, FoundFile
from aion_assets.core.collect.responses import (
    TRANSIENT,
    Answer,
    body_is_held,
    conditional_headers,
    failed,
    judge,
    unforeseen,
)
from aion_assets.core.errors import FetchError
from aion_assets.core.fetch.media import extension_of
from aion_assets.core.fetch.urls import canonical_url
from aion_assets.core.records import CollectedPage, KnownPage, Outcome
from aion_assets.core.settings import Settings

if TYPE_CHECKING:
    import httpx

ADDRESS = "uploads"
# Folders of the home for what is handed in.
UPLOADS, DUMPS = "uploads", "dumps"
_MAX_LINK_FILE_BYTES = 10_000
_LINK = re.compile(r"^\s*(?:URL\s*=\s*)?(https?://\S+)\s*$", re.IGNORECASE | re.MULTILINE)


def uploads_folder(settings: Settings, source_id: str) -> Path:
    return settings.home / UPLOADS / source_id


class UploadsConnector:
    kind = "uploads"

    @classmethod
    def accepts(cls, address: str) -> bool:
        return address == ADDRESS

    @classmethod
    def normal_address(cls, address: str) -> str:
        return ADDRESS

    def collect(self, job: CollectionJob, emit: Emit, progress: ReportProgress) -> CollectionReport:
        from aion_assets.core.fetch.client import guarded_client

        folder = uploads_folder(job.settings, job.source.source_id)
        if not job.known:
            folder.mkdir(parents=True, exist_ok=True)  # nobody has uploaded anything yet
        with guarded_client(job.settings) as client:
            visit = _UploadsVisit(folder.resolve(), job, emit, progress)
            visit.client = client
            return visit.run(empty_is_suspicious=False)


class _UploadsVisit(FolderVisit):
    client: "httpx.Client"

    def read_special(self, found: FoundFile, known: KnownPage | None) -> CollectedPage | None:
        if extension_of(found.locator) != "url":
            return None
        try:
            text = self.content(found, _MAX_LINK_FILE_BYTES)[0].decode("utf-8-sig", "replace")
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            return failed(found.locator, self.address(found.parts), Outcome.ERROR, reason, known)
        match = _LINK.search(text)
        url = canonical_url(match[1]) if match else None
        # `known` belongs to the address that the file held then.
        same = known if known and tuple(known.links) == (url,) else None
        if url is None:
            page = failed(found.locator, self.address(found.parts), Outcome.ERROR, "holds no web address")
        else:
            page = fetch_link(self.client, found.locator, url, same)
        page.is_another = same is None
        return page


def fetch_link(client: "httpx.Client", locator: str, url: str, known: KnownPage | None = None) -> CollectedPage:
    """Fetch one web page with a client of `guarded_client`. `links` of the row holds the address that was asked for.

    Redirects are followed; `url` of the row is where they led.
    """
    import httpx

    from aion_assets.core.fetch.client import TooBigError

    held = known if known is not None and body_is_held(known) else None
    try:
        response = client.get(url, headers=conditional_headers(held) if held else {})
    except TooBigError as error:
        page = failed(locator, url, Outcome.TOO_BIG, error.what)
    except FetchError as error:
        page = failed(locator, url, Outcome.ERROR, error.what)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        page = failed(locator, url, Outcome.ERROR, f"cannot be fetched: {error}")
    except Exception as error:  # of an address that a redirect gives, even its name may raise
        page = failed(locator, url, Outcome.ERROR, unforeseen(error))
    else:
        answer = Answer(response.status_code, dict(response.headers), response.content)
        page = judge(locator, canonical_url(str(response.url)) or url, answer, held)
        if answer.status in TRANSIENT:
            page.reason += "; try again later"
    page.links = (url,)
    return page
