"""Readable names and ids for sources."""

import re
import unicodedata
from pathlib import PurePath
from urllib.parse import urlsplit

from sqlalchemy import Connection, or_, select

from aion_assets.core.database import tables
from aion_assets.core.errors import SourceError

MAX_NAME_CHARS = 200
_sources = tables.sources


def refuse_unfit_name(name: str) -> None:
    if not name.strip():
        raise SourceError(f"A source cannot have the name {name!r}.", "Give one that people know it by.")
    if len(name) > MAX_NAME_CHARS:
        raise SourceError(f"The name {name[:40]!r}… has {len(name)} characters.", f"{MAX_NAME_CHARS} are the most.")
    refuse_no_text(name)


def refuse_no_text(written: str) -> None:
    """Raises SourceError: the text is not UTF-8. File systems and command lines take any bytes, databases do not."""
    try:
        written.encode()
    except UnicodeEncodeError:
        raise SourceError(f"{written!r} has bytes in it that are not UTF-8.", "Rename it.") from None


def id_and_name(connection: Connection, tenant_id: str, address: str, wanted: str) -> tuple[str, str]:
    """Id and name of a new source. Without a wanted name, the name is made from the address, or is the id if that is
    taken.

    Raises SourceError: the wanted name already finds another source.
    """
    if wanted:
        refuse_taken_name(connection, tenant_id, wanted)
        return _free_id(connection, wanted), wanted
    name = _name_of(address)
    source_id = _free_id(connection, name)
    return source_id, source_id if _holder_of(connection, tenant_id, name) else name


def refuse_taken_name(connection: Connection, tenant_id: str, name: str, own_id: str = "") -> None:
    """Raises SourceError: the name finds another source than the one of `own_id`."""
    holder = _holder_of(connection, tenant_id, name, own_id)
    if holder:
        raise SourceError(f"{name!r} is the id or name of source {holder}.", "Give another name.")


def _holder_of(connection: Connection, tenant_id: str, name: str, own_id: str = "") -> str:
    here = (_sources.c.tenant_id == tenant_id, _sources.c.removed_at.is_(None), _sources.c.source_id != own_id)
    found = select(_sources.c.source_id).where(*here, or_(_sources.c.source_id == name, _sources.c.name == name))
    return connection.execute(found.limit(1)).scalar() or ""


def _name_of(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        return (f"{parts.netloc}{parts.path}".strip("/") or address)[:MAX_NAME_CHARS]
    return (PurePath(address).stem or address)[:MAX_NAME_CHARS]


def _free_id(connection: Connection, name: str) -> str:
    """An id that was never a source's id and is no source's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48] or "source"
    taken: set[str] = set()
    for column in (_sources.c.source_id, _sources.c.name):
        taken.update(connection.execute(select(column).where(column.startswith(base))).scalars())
    number = 1
    candidate = base
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    return candidate
