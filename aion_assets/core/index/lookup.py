"""The two queries on the table `knowledge`: which vectors are near, and which texts hold the words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from aion_assets.core.index.analysis import FULL_TEXT_COLUMNS, analysed
from aion_assets.core.index.structures import PROBES
from aion_assets.core.language.question import Question

if TYPE_CHECKING:
    from lancedb.query import LanceVectorQueryBuilder
    from lancedb.table import LanceTable, Table


def nearest(
    table: "Table",
    vector: NDArray[np.float32],
    k: int,
    columns: Sequence[str],
    where: str = "",
) -> pa.Table:
    """Rows by falling cosine, with the cosine in the column `dense`."""
    # search() declares only the type of its plainest query.
    query = cast("LanceVectorQueryBuilder", table.search(vector, vector_column_name="vector"))
    query = query.distance_type("cosine").limit(k)
    query = query.nprobes(PROBES)
    if where:
        query = query.where(where, prefilter=True)
    found = query.select([*columns, "_distance"]).to_arrow()
    cosines = pa.array(1.0 - found["_distance"].to_numpy())
    return found.drop_columns(["_distance"]).append_column("dense", cosines)


class FullTextIndex:
    """The full-text columns of a table that hold anything: a corpus in one language leaves the other's empty."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self.columns = [name for name in FULL_TEXT_COLUMNS if table.count_rows(f"{name} IS NOT NULL") > 0]

    def matching(self, question: Question, k: int, columns: Sequence[str], where: str = "") -> pa.Table:
        """Rows by falling full-text score, the sum over the columns searched, which is their column `lexical`.

        The question is only ever words: no character of it is an operator.
        """
        from lancedb.background_loop import LOOP
        from lancedb.query import BooleanQuery, MatchQuery, Occur

        match: Any = MatchQuery  # its optional arguments are not seen by mypy
        asked = [(Occur.SHOULD, match(analysed(question.text, name, question.language), name)) for name in self.columns]
        # Of the table's own query builder, which goes six times from thread to thread for each search, this is the
        # core: it takes two thirds of the time and half of the processor's.
        query = cast("LanceTable", self._table)._table.query().nearest_to_text(BooleanQuery(asked)).limit(k)
        if where:
            query = query.where(where)
        run: Any = LOOP.run
        found: pa.Table = run(query.select([*columns, "_score"]).to_arrow())
        return found.rename_columns([*columns, "lexical"])
