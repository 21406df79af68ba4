"""How addresses are shown to whoever asks: a file by its place in its source, never by its path on this machine.

The document itself is at the server's own `link`. Whoever works on the machine sees paths: `aion ask`, `aion why`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aion_assets.core.collect.uploads import uploads_folder
from aion_assets.core.database.engine import Database
from aion_assets.core.errors import DatabaseError
from aion_assets.core.settings import Settings
from aion_assets.core.sources.store import places_of_sources

_FILES, _UPLOADS, _DUMP = "folder", "uploads", "jsonl"


class Addresses:
    """Safe to share between threads. Where a source is never changes, so each is looked up once."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._roots: dict[str, str] = {}

    def of_document(self, url: str, source_id: str) -> str:
        """`manual/pt/intro.html` for a file, the address itself for a web page."""
        parts = urlsplit(url) if url.startswith("file:") else None
        if parts is None:
            return url
        path, root = unquote(parts.path, errors="replace"), self._root(source_id)
        inside = path.removeprefix(f"{root}/") if root and path.startswith(f"{root}/") else Path(path).name
        return f"{source_id}/{inside}" + (f"#{unquote(parts.fragment)}" if parts.fragment else "")

    def of_any(self, url: str) -> str:
        """Of a document whose source is not at hand."""
        if not url.startswith("file:"):
            return url
        path = unquote(urlsplit(url).path, errors="replace")
        self._root("")
        inside = (known for known, root in self._roots.items() if root and path.startswith(f"{root}/"))
        return self.of_document(url, next(inside, ""))

    def as_collected(self, shown: str) -> str:
        """The address behind what `of_document` showed; anything else stays."""
        source_id, _, inside = shown.partition("/")
        root = "" if "://" in shown else self._root(source_id)
        return (Path(root) / inside).as_uri() if root and inside else shown

    def of_source(self, kind: str, address: str) -> str:
        return Path(address).name if kind in (_FILES, _DUMP) else address

    def in_trail(self, why: Mapping[str, Any]) -> dict[str, Any]:
        """The way back of an answer, without paths."""
        return {**why, "passages": [self._in_passage(passage) for passage in why["passages"]]}

    def _in_passage(self, passage: Mapping[str, Any]) -> dict[str, Any]:
        source = dict(passage["source"])
        if "address" in source:
            source["address"] = self.of_source(source["kind"], source["address"])
        shown = self._in_part(passage, source["source_id"]) | {"source": source}
        for name in ("fetch", "decision"):
            shown[name] = self._in_part(shown[name], source["source_id"])
        for name in ("moved_from", "moved_to"):
            if name in shown["decision"]:
                shown["decision"][name] = self._in_part(shown["decision"][name], source["source_id"])
        return shown

    def _in_part(self, part: Mapping[str, Any], source_id: str) -> dict[str, Any]:
        return {**part, "url": self.of_document(part["url"], source_id)} if "url" in part else dict(part)

    def _root(self, source_id: str) -> str:
        """Folder in which the files of a source lie, "" where nobody knows any more."""
        if source_id not in self._roots:
            try:
                places = places_of_sources(self._database, self._settings.tenant_id)
            except DatabaseError:  # it is locked: the name alone is shown
                return ""
            self._roots = {known: self._folder(known, *place) for known, place in places.items()}
        return self._roots.get(source_id, "")

    def _folder(self, source_id: str, kind: str, address: str) -> str:
        if kind == _UPLOADS:
            return str(uploads_folder(self._settings, source_id).resolve())
        return str(Path(address).parent if kind == _DUMP else address).rstrip("/")
