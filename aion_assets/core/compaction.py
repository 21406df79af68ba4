"""Keep the lake small: every write adds files and a version, and only this takes old ones away."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta

from aion_assets.core.lake import Lake
from aion_assets.core.releases import READERS_SWAP
from aion_assets.core.steps import embeddings, knowledge

# Steps stream the tables they read, for hours on a large source; the server reads versions that a tag keeps.
_LONGEST_STEP = timedelta(days=1)
_INDEX = knowledge.table_of("").removesuffix("-")


@dataclass(frozen=True, slots=True)
class CompactedTable:
    """`kind` is the table's name without that of an embedder."""

    name: str
    kind: str
    before_bytes: int
    after_bytes: int


def compact_lake(lake: Lake) -> Iterator[CompactedTable]:
    """Compact every table in turn; a writer waits for its own table only, readers for none."""
    with lake.turn("compact"):
        for name in lake.names():
            kind = next((kind for kind in (_INDEX, embeddings.TABLE) if name.startswith(f"{kind}-")), name)
            before = lake.size_bytes(name)
            # A release reads its index version and tags it later.
            with lake.turn(knowledge.TURN) if kind == _INDEX else nullcontext():
                lake.compact(name, READERS_SWAP if kind == _INDEX else _LONGEST_STEP)
            yield CompactedTable(name, kind, before, lake.size_bytes(name))
