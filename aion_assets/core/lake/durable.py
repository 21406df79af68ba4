"""Files that are whole or absent, even after a power cut."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_durably(path: Path, body: bytes) -> None:
    """Write a file beside, sync it, replace, sync the folder. A reader sees the old file or the new one."""
    write_lines_durably(path, (body,))


def write_lines_durably(path: Path, lines: Iterable[bytes]) -> None:
    """The same of what need not fit in memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
