"""Places on the disk: how they are spelled, and which of them a collection passes over."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from aion_assets.core.errors import SourceError
from aion_assets.core.settings import Settings

# Work files that programs put beside documents. Nobody means them to be read.
_TEMPORARY_SUFFIXES = ("~", ".tmp", ".temp", ".swp", ".swo", ".part", ".partial", ".crdownload", ".download", ".lock")
_TEMPORARY_NAMES = frozenset({"thumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "__macosx"})


def local_path(address: str) -> Path:
    """The absolute path that an address or a file: URI names."""
    if address.startswith("file:"):
        address = unquote(urlsplit(address).path, errors="surrogateescape")
    if not address:
        raise SourceError("The address is empty.", "Give the path of an existing folder.")
    try:
        return Path(address).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, an unknown user, a NUL
        raise SourceError(f"{address!r} is not a path: {error}.", "Give the path of an existing folder.") from None


def unresolved_path(address: str) -> str:
    """The absolute path of an address in which links stay links: one that is moved on leads elsewhere tomorrow."""
    if address.startswith("file:"):
        address = unquote(urlsplit(address).path, errors="surrogateescape")
    given = Path(address).expanduser()
    return str(local_path(address) if ".." in given.parts else given.absolute())


def storable(name: bytes) -> str:
    r"""A file name as text that every table can hold: bytes that are not UTF-8 become \xNN, and a backslash two."""
    return name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def is_passed_over(path: Path, settings: Settings) -> bool:
    """Whether a file or folder is hidden, temporary, or one of AION's own, which change with every collection."""
    lowered = path.name.lower()
    return (
        lowered.startswith((".", "~$"))
        or lowered.endswith(_TEMPORARY_SUFFIXES)
        or lowered in _TEMPORARY_NAMES
        or str(path) in (str(settings.home), settings.lake_uri)
    )


def walk(root: Path, settings: Settings) -> Iterator[tuple[Path, list[Path]]]:
    """Every folder from the root down that a collection goes into, with its files. Skips what cannot be listed."""
    waiting = [root]
    while waiting:
        here, files = waiting.pop(), list[Path]()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    path = here / entry.name
                    if is_passed_over(path, settings):
                        continue
                    (waiting if entry.is_dir(follow_symlinks=False) else files).append(path)
        except OSError:
            continue
        yield here, files
