"""Compare the rows that a step should hold with those it holds, so that only differences cost work."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_MODULUS = 1 << 128


@dataclass(slots=True)
class RowDiff:
    """Keys of the rows that differ. A fingerprint covers a row's input and the code version that made it."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)
    unchanged: int = 0

    @property
    def due(self) -> list[str]:
        return self.new + self.changed

    def add(self, other: "RowDiff") -> None:
        """Add the differences of another range of the same tables."""
        self.new += other.new
        self.changed += other.changed
        self.orphaned += other.orphaned
        self.unchanged += other.unchanged

    def counts(self) -> dict[str, int]:
        return {
            "new": len(self.new),
            "changed": len(self.changed),
            "unchanged": self.unchanged,
            "orphaned": len(self.orphaned),
        }


def diff_rows(stored: Mapping[str, str], wanted: Mapping[str, str]) -> RowDiff:
    """`stored` and `wanted` map a row's key to its fingerprint."""
    difference = RowDiff()
    for key, fingerprint in wanted.items():
        if key not in stored:
            difference.new.append(key)
        elif stored[key] != fingerprint:
            difference.changed.append(key)
        else:
            difference.unchanged += 1
    difference.orphaned = [key for key in stored if key not in wanted]
    return difference


def data_version(rows: Iterable[tuple[str, str]]) -> str:
    """Fingerprint of a set of (key, row hash); their order does not matter."""
    return counted_version(rows)[1]


def counted_version(rows: Iterable[tuple[str, str]]) -> tuple[int, str]:
    """Number of the rows and their `data_version`. Holds no row in memory."""
    version = RowSetVersion()
    for key, row_hash in rows:
        version.add(key, row_hash)
    return version.rows, str(version)


@dataclass(slots=True)
class RowSetVersion:
    """A `data_version` that grows row by row: a sum modulo 2¹²⁸ of hashes, and the count."""

    rows: int = 0
    _total: int = 0

    def add(self, key: str, row_hash: str) -> None:
        digest = hashlib.blake2b(f"{key}\0{row_hash}".encode(), digest_size=16).digest()
        self._total = (self._total + int.from_bytes(digest, "big")) % _MODULUS
        self.rows += 1

    def __str__(self) -> str:
        return f"{self.rows}-{self._total:032x}"
