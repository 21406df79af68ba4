"""Time of a search on an index of a given size, made of the words of a real one."""

import random
import re
import statistics
import time
from typing import Any

import numpy as np
import pyarrow as pa

from aion_assets.core.index.analysis import index_columns
from aion_assets.core.index.structures import build_indexes
from aion_assets.core.lake.store import WRITE_ROWS
from aion_assets.core.lake.tables import CHUNKS, knowledge_table
from aion_assets.core.language.identify import PORTUGUESE
from aion_assets.core.language.terms import terms
from aion_assets.core.search.ranker import builtin_ranker
from aion_assets.core.search.retriever import Retriever
from bench.ingest import TemporaryHome
from trainer.embedder import Embedder

_QUERIES = 300
# Warm up like a server that has answered before: words are cached, kernels exist for the lengths of questions.
_WARMING = 30
_QUESTION_WORDS = 9
# With so many variants, a question's content words are about as rare in the index as in real corpora.
_VARIANTS = 8
_WORD = re.compile(r"[^\W\d_]+")


def search_p50_ms(home: TemporaryHome, rows: int) -> float:
    """Median time of hybrid searches as the server makes them, query embedding included, over `rows` passages.

    The passages are shuffled stretches of real text. Numbers appended to their content words make these as rare as in a
    corpus of this size. Vectors are random directions around real ones, so that neighbourhoods are realistic.
    """
    generator, random_words = np.random.default_rng(7), random.Random(7)
    chunks = list(home.lake.rows(CHUNKS.name, ["text", "title", "heading", "lang"]))
    seeds = home.embedder.embed([chunk["text"] for chunk in chunks[:500]])
    words = " ".join(chunk["text"] for chunk in chunks).split()
    target = knowledge_table("bench", home.embedder.dimension)
    schema = target.schema
    questions: list[str] = []
    for begin in range(0, rows, WRITE_ROWS):
        batch = []
        for number in range(begin, min(rows, begin + WRITE_ROWS)):
            vector = seeds[number % len(seeds)] + generator.normal(0, 0.03, seeds.shape[1])
            start = random_words.randrange(max(1, len(words) - 90))
            text = _rarer(" ".join(words[start : start + 90]), random_words)
            questions.append(" ".join(text.split()[:_QUESTION_WORDS]))
            row: dict[str, Any] = {name: "" for name in schema.names if schema.field(name).type == pa.string()}
            row |= {"chunk_id": str(number), "doc_id": str(number // 5), "tenant_id": home.settings.tenant_id}
            row |= {
                "text": text,
                "context": text,
                "title": "",
                "heading": "",
                "lang": chunks[number % len(chunks)]["lang"],
            }
            row = {**row, **index_columns(row)}
            row["vector"] = (vector / np.linalg.norm(vector)).astype(np.float32)
            batch.append(row | dict.fromkeys(("position", "start", "end", "page"), 0))
        home.lake.upsert(target, batch)
    with home.lake.changing(target.name) as table:
        build_indexes(table, changed_rows=rows)
    retriever = Retriever(
        home.lake.table(target.name),
        Embedder(home.model),
        home.settings.tenant_id,
        builtin_ranker(home.model.embedder_id),
    )
    retriever.keep_in_memory()
    seconds = []
    for question in random_words.sample(questions, _QUERIES):
        started = time.monotonic()
        retriever.search(question, 8)
        seconds.append(time.monotonic() - started)
    return statistics.median(seconds[_WARMING:]) * 1000


def _rarer(text: str, chance: random.Random) -> str:
    def marked(match: re.Match[str]) -> str:
        return f"{match[0]}{chance.randrange(_VARIANTS)}" if terms(match[0], PORTUGUESE) else match[0]

    return _WORD.sub(marked, text)
