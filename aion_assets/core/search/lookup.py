"""The two questions asked of the table `knowledge`: which vectors are near, which texts hold the words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.search.indexes import FULL_TEXT_COLUMNS

if TYPE_CHECKING:
    from lancedb.query import LanceVectorQueryBuilder
    from lancedb.table import Table

# HNSW: candidates kept while walking the graph, and how many times k are re-scored with the full vectors.
_EF = 200
_REFINE = 2


def nearest(
    table: "Table",
    vector: NDArray[np.float32],
    k: int,
    columns: Sequence[str],
    *,
    where: str = "",
    exact: bool = False,
) -> list[dict[str, Any]]:
    """Rows by falling cosine, each with `dense`."""
    # The type that search() declares is that of its plainest query.
    query = cast("LanceVectorQueryBuilder", table.search(vector, vector_column_name="vector"))
    query = query.distance_type("cosine").limit(k)
    query = query.bypass_vector_index() if exact else query.ef(max(_EF, 2 * k)).refine_factor(_REFINE)
    if where:
        query = query.where(where, prefilter=True)
    rows: list[dict[str, Any]] = query.select([*columns, "_distance"]).to_list()
    for row in rows:
        row["dense"] = 1.0 - row.pop("_distance")
    return rows


def matching(table: "Table", question: str, k: int, columns: Sequence[str], *, where: str = "") -> list[dict[str, Any]]:
    """Rows by falling full-text score over the chunk and its surroundings, each with `lexical`.

    The question is only ever words: no character of it is an operator.
    """
    from lancedb.query import BooleanQuery, MatchQuery, Occur

    match: Any = MatchQuery  # its optional arguments are not seen by mypy
    if not question:
        return []
    query = table.search(BooleanQuery([(Occur.SHOULD, match(question, column)) for column in FULL_TEXT_COLUMNS]))
    query = query.limit(k)
    if where:
        query = query.where(where, prefilter=True)
    rows: list[dict[str, Any]] = query.select([*columns, "_score"]).to_list()
    for row in rows:
        row["lexical"] = row.pop("_score")
    return rows
