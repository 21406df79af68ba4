"""Which rows a search may show: those of the tenant, without what was rejected, removed or forgotten."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from aion_assets.core.lake import is_in, quoted

# Asks one half of the search for so many rows under an SQL filter, "" for none.
Ask = Callable[[int, str], pa.Table]


@dataclass(frozen=True, slots=True)
class Visibility:
    tenant_id: str
    hidden_docs: frozenset[str] = frozenset()
    hidden_sources: frozenset[str] = frozenset()

    def rows(self, ask: Ask, k: int) -> pa.Table:
        """Visible rows only, about k of them.

        Hidden rows are dropped from what the search found, which costs the same however many documents are hidden
        (a filter of 3 000 ids takes longer than the search). Only when they crowd out the rest is the search asked
        again with them filtered out.
        """
        found = ask(k, "")
        visible = found.filter(self._mask(found))
        if visible.num_rows < k // 2 and found.num_rows >= k:
            return ask(k, self._filter())
        return visible

    def _mask(self, rows: pa.Table) -> pa.ChunkedArray:
        mask = pc.equal(rows["tenant_id"], self.tenant_id)
        for column, hidden in (("doc_id", self.hidden_docs), ("source_id", self.hidden_sources)):
            if hidden:
                visible = [value not in hidden for value in rows[column].to_pylist()]
                mask = pc.and_(mask, pa.array(visible, pa.bool_()))
        return mask

    def _filter(self) -> str:
        parts = [f"tenant_id = {quoted(self.tenant_id)}"]
        for column, hidden in (("doc_id", self.hidden_docs), ("source_id", self.hidden_sources)):
            if hidden:
                parts.append(f"NOT ({is_in(column, sorted(hidden))})")
        return " AND ".join(parts)
