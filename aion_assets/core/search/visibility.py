"""Which rows a search may show: those of the tenant that have no tombstone."""

from dataclasses import dataclass

import pyarrow as pa

from aion_assets.core.lake.conditions import is_in, quoted


@dataclass(frozen=True, slots=True)
class Visibility:
    tenant_id: str
    hidden_docs: frozenset[str] = frozenset()
    hidden_sources: frozenset[str] = frozenset()

    def only(self, rows: pa.Table) -> pa.Table:
        """The visible ones among `rows`. Its cost does not grow with the hidden documents; a filter of thousands of ids
        takes longer than the search itself.
        """
        columns = (rows[name].to_pylist() for name in ("tenant_id", "doc_id", "source_id"))
        visible = [
            tenant == self.tenant_id and doc not in self.hidden_docs and source not in self.hidden_sources
            for tenant, doc, source in zip(*columns, strict=True)
        ]
        return rows.filter(pa.array(visible, pa.bool_()))

    def filter(self) -> str:
        """The same as an SQL filter, for when hidden rows crowd out the rest."""
        parts = [f"tenant_id = {quoted(self.tenant_id)}"]
        for column, hidden in (("doc_id", self.hidden_docs), ("source_id", self.hidden_sources)):
            if hidden:
                parts.append(f"NOT ({is_in(column, sorted(hidden))})")
        return " AND ".join(parts)
