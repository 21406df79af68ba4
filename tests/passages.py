"""Small passages and indexes for tests of search and answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.table import Table

from aion_assets.core.index.analysis import index_columns
from aion_assets.core.index.structures import build_indexes
from aion_assets.core.lake.tables import knowledge_table
from aion_assets.core.search.hits import Hit

DIMENSION = 8


def hit(chunk: str, *, doc: str = "", text: str = "", title: str = "", score: float = 0.0, axis: int = 0) -> Hit:
    return Hit(
        chunk_id=chunk,
        doc_id=doc or f"doc-{chunk}",
        doc_version="v1",
        source_id="source",
        title=title,
        url=f"https://example.org/{doc or chunk}",
        page=0,
        heading="",
        fragment="",
        lang="pt",
        text=text,
        start=0,
        end=len(text),
        vector=np.eye(DIMENSION, dtype=np.float32)[axis],
        score=score,
    )


def row(number: int, text: str, vector: np.ndarray, **changes: Any) -> dict[str, Any]:
    made = {
        "chunk_id": f"chunk-{number}",
        "doc_id": f"doc-{number}",
        "tenant_id": "default",
        "source_id": "source",
        "doc_version": "v1",
        "position": 0,
        "start": 0,
        "end": len(text),
        "page": 0,
        "heading": "",
        "fragment": "",
        "lang": "pt",
        "title": "",
        "url": f"https://example.org/{number}",
        "text": text,
        "context": text,
        "text_hash": "hash",
        "row_hash": "hash",
        "vector": vector,
    } | changes
    return made | index_columns(made)


def index(folder: Path, rows: Sequence[dict[str, Any]], dimension: int) -> Table:
    schema = knowledge_table("test", dimension).schema
    kept = [{name: value for name, value in one.items() if name in schema.names} for one in rows]
    table = lancedb.connect(folder).create_table("knowledge", pa.Table.from_pylist(kept, schema=schema))
    build_indexes(table, changed_rows=len(kept))
    return table
