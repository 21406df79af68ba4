"""Routes to hand in files and links. They are stored in the uploads source, which the pipeline collects."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel, Field

from aion_assets.core.collect.jsonl import SUFFIXES
from aion_assets.core.fetch.file_types import TYPE_OF_EXTENSION
from aion_assets.core.fetch.guard import resolve
from aion_assets.core.fetch.media import extension_of
from aion_assets.core.fetch.named_hosts import networks_of
from aion_assets.core.fetch.urls import DEFAULT_PORTS, canonical_url
from aion_assets.core.ids import short_digest
from aion_assets.core.sources.store import request_collection
from aion_serving.api.shared_state import CurrentAssistant
from aion_serving.api.uploads import UploadsFolder, dump_source, plain_name, uploads_source
from aion_serving.middleware.problems import Problem, RefusedError

router = APIRouter(tags=["Ingestion"])

_DUMPS = tuple(suffix.removeprefix(".") for suffix in SUFFIXES)
_TAKEN = (*TYPE_OF_EXTENSION, *_DUMPS)
_INTO = "Id or name of an uploads source; left out, the source `uploads`, which is made on first use."


class Link(BaseModel):
    url: str = Field(min_length=1, max_length=2_048, examples=["https://example.org/norma-12"])
    source: str = Field("", max_length=200, description=_INTO)


class Accepted(BaseModel):
    source_id: str
    name: str = Field(description="The file's name inside the source.")
    status: str = Field(
        description="accepted: taken, the next run reads it. unchanged: the same content was there already.",
        examples=["accepted"],
    )


_REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in (400, 404, 409, 422)}


@router.post("/kb/ingest/link", summary="Take a page by its address", status_code=202, responses=_REFUSALS)
def ingest_link(link: Link, assistant: CurrentAssistant) -> Accepted:
    """The page is fetched by the next run, which Dagster starts by itself, and then waits for a curator.

    Addresses that are not public are refused unless their network is listed in `AION_ALLOW_PRIVATE_NETWORKS`.
    """
    settings = assistant.settings
    url = canonical_url(link.url)
    if url is None:
        raise RefusedError(422, "That is not a web address.", "Give one that begins with http:// or https://.")
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        resolve(host, parts.port or DEFAULT_PORTS[parts.scheme], networks_of(host, settings))
    except OSError:
        raise RefusedError(422, f"The host {host} does not resolve.", "Check the address.") from None
    source = uploads_source(assistant.database, settings, link.source)
    name = f"{plain_name(f'{host}{parts.path}', 80).strip('-')}-{short_digest('link', url)[:8]}.url"
    changed = UploadsFolder.of_source(settings, source).keep_text(name, f"[InternetShortcut]\nURL={url}\n")
    request_collection(assistant.database, source.source_id)
    return Accepted(source_id=source.source_id, name=name, status="accepted" if changed else "unchanged")


@router.post(
    "/kb/ingest/file",
    summary="Take a file",
    status_code=202,
    responses=_REFUSALS | {status: {"model": Problem} for status in (413, 415)},
)
def ingest_file(
    assistant: CurrentAssistant,
    file: Annotated[UploadFile, File(description=f"One of: {', '.join(_TAKEN)}.")],
    source: Annotated[str, Form(max_length=200, description=_INTO)] = "",
    replace: Annotated[bool, Form(description="Replace another file of the same name.")] = False,
) -> Accepted:
    """The file is parsed by the next run, which Dagster starts by itself, and then waits for a curator.

    A jsonl file, which holds one document a line, becomes a source of its own.

    A file of the same name with other content is refused unless `replace` is true. What is approved under that name
    then waits for a new decision, unless the source is trusted (`auto_approve`).
    """
    name = plain_name((file.filename or "").replace("\\", "/").rpartition("/")[2], 150)
    extension = extension_of(name)
    if extension not in _TAKEN:
        taken = ", ".join(_TAKEN)
        raise RefusedError(415, f"Files of type {extension or 'without extension'} are not taken.", f"Taken: {taken}.")
    settings = assistant.settings
    if (file.size or 0) > settings.max_fetch_bytes:
        raise RefusedError(
            413,
            f"The file has {file.size} bytes; at most {settings.max_fetch_bytes} are taken.",
            "AION_MAX_FETCH_BYTES limits the size of a file.",
        )
    if extension in _DUMPS:
        if source:
            raise RefusedError(422, "A jsonl file is a source of its own.", "Leave out 'source'.")
        folder = UploadsFolder.of_dumps(settings)
        changed = folder.keep(name, file.file, replace=replace)
        dump, is_new = dump_source(assistant.database, settings, folder.path_of(name))
        request_collection(assistant.database, dump.source_id)
        return Accepted(source_id=dump.source_id, name=name, status="accepted" if changed or is_new else "unchanged")
    found = uploads_source(assistant.database, settings, source)
    changed = UploadsFolder.of_source(settings, found).keep(name, file.file, replace=replace)
    request_collection(assistant.database, found.source_id)
    return Accepted(source_id=found.source_id, name=name, status="accepted" if changed else "unchanged")
