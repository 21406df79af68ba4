"""Keep the lake small: every write adds files and a version, and only compaction deletes old ones."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta

from aion_assets.core.lake.locks import INDEX_LOCK
from aion_assets.core.lake.store import Lake
from aion_assets.core.lake.tables import KNOWLEDGE, kind_of

# A version that was superseded so long ago has no reader any more.
READERS_SWAP = timedelta(hours=1)
# Steps stream the tables they read, for hours on a large source. The server reads versions that a tag keeps.
_LONGEST_STEP = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CompactedTable:
    """`kind` is the table's name without that of an embedder."""

    name: str
    kind: str
    before_bytes: int
    after_bytes: int


def compact_lake(lake: Lake) -> Iterator[CompactedTable]:
    """Compact one table after another. A writer waits for its own table only; readers never wait."""
    with lake.lock("compact"):
        for name in lake.names():
            kind = kind_of(name)
            before = lake.size_bytes(name)
            # A release reads its index version and tags it later.
            with lake.lock(INDEX_LOCK) if kind == KNOWLEDGE else nullcontext():
                lake.compact(name, READERS_SWAP if kind == KNOWLEDGE else _LONGEST_STEP)
            yield CompactedTable(name, kind, before, lake.size_bytes(name))
