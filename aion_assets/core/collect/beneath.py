"""What lies beneath a folder, listed and opened by descriptors: no name on the way is ever followed as a link.

A path that was checked and is opened afterwards may lead elsewhere by then, as whoever may write in the folder can put
a link in the place of a file or of a folder. Here each name on the way is opened in the folder before it, as what it
is or not at all. So what is read lies beneath the root, whatever is swapped meanwhile.
"""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

# Names from the root down; () is the root itself.
Parts = tuple[str, ...]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: what was listed as a file may have become a pipe, which would never be opened.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
# The longest path that the system takes. It bounds the depth of folders, too.
_MAX_PATH_CHARS = 4_096
_MOST_OPEN = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a folder, as the folder itself lists it: a link is no file and no folder."""

    name: str
    is_folder: bool
    is_file: bool
    is_link: bool


class Beneath:
    """Its methods raise OSError. Close it after use."""

    def __init__(self, root: Path) -> None:
        self._root_chars = len(str(root))
        # The folders down to the one that was opened last, or the deepest of them: what is asked for next is near.
        self._chain: list[tuple[Parts, int]] = [((), os.open(root, _FOLDER))]

    def close(self) -> None:
        while self._chain:
            os.close(self._chain.pop()[1])

    def list(self, folder: Parts) -> list[Entry]:
        """What is in the folder, sorted by the bytes of the names."""
        with os.scandir(self._enter(folder)) as entries:
            found = [
                Entry(
                    entry.name,
                    entry.is_dir(follow_symlinks=False),
                    entry.is_file(follow_symlinks=False),
                    entry.is_symlink(),
                )
                for entry in entries
            ]
        return sorted(found, key=lambda entry: os.fsencode(entry.name))

    def status(self, file: Parts) -> os.stat_result:
        return os.stat(file[-1], dir_fd=self._enter(file[:-1]), follow_symlinks=False)

    def read(self, file: Parts, max_bytes: int) -> tuple[bytes, os.stat_result]:
        """The content of a regular file, and the status of what was read."""
        descriptor = os.open(file[-1], _FILE, dir_fd=self._enter(file[:-1]))
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                _refuse("is no longer a regular file")
            body = opened.read(max_bytes + 1)
        if len(body) > max_bytes:
            _refuse("grew beyond the limit while it was read")
        return body, status

    def _enter(self, folder: Parts) -> int:
        """A descriptor of the folder, which stays open until the next call."""
        if self._root_chars + sum(map(len, folder)) + len(folder) > _MAX_PATH_CHARS:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        while folder[: len(self._chain[-1][0])] != self._chain[-1][0]:
            os.close(self._chain.pop()[1])
        while (above := self._chain[-1])[0] != folder:
            inner = folder[: len(above[0]) + 1]
            self._chain.append((inner, os.open(inner[-1], _FOLDER, dir_fd=above[1])))
            if len(self._chain) > _MOST_OPEN:
                os.close(self._chain.pop(1)[1])  # never the root
        return self._chain[-1][1]


def _refuse(why: str) -> NoReturn:
    raise OSError(0, why)
