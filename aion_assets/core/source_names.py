"""Readable names and ids for sources."""

import re
import unicodedata
from pathlib import PurePath
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from aion_assets.core import schema
from aion_assets.core.errors import SourceError

MAX_NAME_CHARS = 200
_sources = schema.sources


def refuse_long_name(name: str) -> None:
    if len(name) > MAX_NAME_CHARS:
        raise SourceError(f"The name {name[:40]!r}… has {len(name)} characters.", f"{MAX_NAME_CHARS} are the most.")


def name_of(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return (f"{parts.netloc}{parts.path}".strip("/") or address)[:MAX_NAME_CHARS]
    return (PurePath(address).stem or address)[:MAX_NAME_CHARS]


def free_id(connection: Connection, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48] or "source"
    taken = set(connection.execute(select(_sources.c.source_id).where(_sources.c.source_id.startswith(base))).scalars())
    number = 1
    candidate = base
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate
