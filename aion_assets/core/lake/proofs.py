"""Which versions of a table were read to their end, so that nobody need read them again while their files are the same.

A note that is lost costs one more reading. One that is wrong would hide a damage: it holds only as long as no file of
the table was added, removed or touched, and every error of the table takes it back.
"""

import contextlib
import json
from pathlib import Path

from aion_assets.core.lake.durable import write_durably

# Versions of one table that are noted; releases need a dozen.
_MOST = 32


class Proofs:
    """Notes in `folder`; None keeps none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def hold(self, table: str, version: int, stamp: str) -> bool:
        """`stamp`: what the files of the table look like now."""
        return bool(stamp) and version in self._versions(table, stamp)

    def note(self, table: str, version: int, stamp: str) -> None:
        """This version was read to its end, while its files looked like this."""
        if self._folder is None or not stamp:
            return
        versions = [*(known for known in self._versions(table, stamp) if known != version), version][-_MOST:]
        with contextlib.suppress(OSError):
            write_durably(self._file(table), json.dumps({"files": stamp, "versions": versions}).encode())

    def forget(self, table: str) -> None:
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._file(table).unlink(missing_ok=True)

    def _versions(self, table: str, stamp: str) -> list[int]:
        if self._folder is None:
            return []
        try:
            noted = json.loads(self._file(table).read_bytes())
            return list(noted["versions"]) if noted["files"] == stamp else []
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _file(self, table: str) -> Path:
        assert self._folder is not None
        return self._folder / f".{table}.read.json"
