"""Readable names and ids for sources."""

import re
import unicodedata
from pathlib import PurePath
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from aion_assets.core import schema

_sources = schema.sources


def name_of(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return f"{parts.netloc}{parts.path}".strip("/") or address
    return PurePath(address).stem or address


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
