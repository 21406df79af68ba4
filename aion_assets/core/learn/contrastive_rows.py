"""What the retriever adapter learns from: questions, each with the passage that answers it.

The stored pairs name documents; of each the passage that shares most words with the question is taken. The corpus
itself gives more: a title or a heading stands for the passage below it, a sentence for the passage that it was taken
from (the inverse cloze task of Lee et al. 2019), and the text of a link for the page that it leads to. Nothing of a
golden document is learned, not even as a wrong answer.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from aion_assets.core.home import Home
from aion_assets.core.ids import digest
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.tables import CHUNKS
from aion_assets.core.language.sentences import sentence_spans
from aion_assets.core.learn.links import read_links
from aion_assets.core.learn.metrics import normalised_words
from aion_assets.core.learn.pairs import Barred, Pair, plain
from aion_assets.core.release.releases import Release
from aion_assets.core.sources.tombstones import read_hidden

Vectors = NDArray[np.float32]
TITLE, HEADING, SENTENCE, LINK = "title", "heading", "sentence", "link"
# People's questions count more than what the corpus says of itself.
_CORPUS_WEIGHT = 0.5
# More passages tell the wrong ones no better; their vectors take 46 MB.
_MOST_PASSAGES = 30_000
_MOST_CORPUS_ROWS = 4_000
# Sentences are no questions, and each row takes time. So there are at most this many, or half as many as questions of
# people.
_LEAST_SENTENCES = 200
# A shorter sentence says too little of its passage.
_LEAST_WORDS = 5
# In every tenth row the sentence stays in its passage, so that words still count.
_STAYS = 10
# So many of a hundred documents with pairs are held out: on them the scale is chosen.
_HELD_OUT_PER_CENT = 15


@dataclass(frozen=True, slots=True)
class Row:
    """`passage` is a place in `ContrastiveRows.passages`. `text` is what of the passage is learned, "" for all of it.
    `origin_id` names the answer, golden query, chunk or, of a link, the document that the row comes from.
    """

    question: str
    passage: int
    weight: float
    origin: str
    origin_id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    chunk_id: str
    doc_id: str
    text: str


@dataclass(slots=True)
class ContrastiveRows:
    """`vectors` are those of the index, (passages, dimension). `left_out` counts rows by the reason why."""

    passages: list[Passage] = field(default_factory=list)
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    rows: list[Row] = field(default_factory=list)
    held_out: list[Row] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def digest(self) -> str:
        rows = ("\t".join(map(str, asdict(row).values())) for row in (*self.rows, *self.held_out))
        return digest("contrastive", *(passage.chunk_id for passage in self.passages), *rows)

    def figures(self) -> dict[str, int]:
        origins = Counter(row.origin for row in self.rows)
        left = {f"left_out/{name}": count for name, count in sorted(self.left_out.items())}
        named = {f"rows/{name}": count for name, count in sorted(origins.items())}
        return {"rows": len(self.rows), "held_out": len(self.held_out), **named, **left}


@dataclass(frozen=True, slots=True)
class _Chunk:
    passage: Passage
    place: int
    title: str
    heading: str
    body: str
    position: int


def contrastive_rows(home: Home, release: Release, pairs: Sequence[Pair]) -> ContrastiveRows:
    """In a fixed order: the same index, pairs and golden questions give the same rows."""
    found, barred = ContrastiveRows(), Barred.of_home(home)
    chunks = _chunks(home, release, barred, {pair.doc_id for pair in pairs}, found)
    of_document: dict[str, list[_Chunk]] = {}
    for chunk in chunks:
        of_document.setdefault(chunk.passage.doc_id, []).append(chunk)
    asked: set[str] = set()
    for pair in pairs:
        reason = barred.reason(pair) or ("" if pair.doc_id in of_document else "document_gone")
        if reason:
            found.left_out[reason] += 1
            continue
        asked.add(plain(pair.question))
        chunk = _best_of(of_document[pair.doc_id], pair.question)
        row = Row(pair.question, chunk.place, pair.weight, pair.origin, pair.origin_id)
        (found.held_out if _is_held_out(pair.doc_id) else found.rows).append(row)
    held_out = {found.passages[row.passage].doc_id for row in found.held_out}
    most_sentences = max(_LEAST_SENTENCES, len(found.rows) // 2)
    links = _of_links(home, barred, of_document, held_out, found.left_out)
    for row in _once([*_of_corpus(chunks, held_out, found.left_out), *links], asked, found.left_out):
        if barred.has_text(row.question):
            found.left_out["golden_text"] += 1
        elif row.origin == SENTENCE and most_sentences == 0:
            found.left_out["enough_sentences"] += 1
        else:
            most_sentences -= row.origin == SENTENCE
            found.rows.append(row)
    return found


def _chunks(home: Home, release: Release, barred: Barred, wanted: set[str], found: ContrastiveRows) -> list[_Chunk]:
    """The passages that may be learned from, by id, which is random; those of the wanted documents come first."""
    vectors: dict[str, Vectors] = {}
    of_tenant = f"tenant_id = {quoted(home.tenant_id)}"
    for batch in home.lake.read(release.table, ["chunk_id", "vector"], of_tenant, release.tag):
        numbers = batch["vector"].flatten().to_numpy(zero_copy_only=False).reshape(len(batch), -1)
        vectors.update(zip(batch["chunk_id"].to_pylist(), numbers, strict=True))
    hidden = read_hidden(home.database, home.tenant_id)
    columns = ["chunk_id", "doc_id", "source_id", "title", "heading", "text", "embed_text", "position"]
    kept = []
    for row in home.lake.rows(CHUNKS.name, columns, of_tenant):
        if row["chunk_id"] not in vectors or row["doc_id"] in hidden.doc_ids or row["source_id"] in hidden.source_ids:
            continue
        if row["doc_id"] in barred.doc_ids:
            found.left_out["golden_passage"] += 1
        else:
            kept.append(row)
    kept.sort(key=lambda row: (row["doc_id"] not in wanted, row["chunk_id"]))
    found.left_out["beyond_the_limit"] += max(0, len(kept) - _MOST_PASSAGES)
    kept = kept[:_MOST_PASSAGES]
    found.passages = [Passage(row["chunk_id"], row["doc_id"], row["embed_text"]) for row in kept]
    if kept:
        found.vectors = np.stack([vectors[row["chunk_id"]] for row in kept]).astype(np.float32)
    return [
        _Chunk(passage, place, row["title"] or "", row["heading"] or "", row["text"], row["position"])
        for place, (passage, row) in enumerate(zip(found.passages, kept, strict=True))
    ]


def _best_of(chunks: Sequence[_Chunk], question: str) -> _Chunk:
    wanted = set(normalised_words(question))
    return max(chunks, key=lambda chunk: (len(wanted & set(normalised_words(chunk.passage.text))), -chunk.position))


def _is_held_out(doc_id: str) -> bool:
    return int(digest("held out", doc_id)[:8], 16) % 100 < _HELD_OUT_PER_CENT


def _of_corpus(chunks: Iterable[_Chunk], held_out: set[str], left_out: Counter[str]) -> Iterator[Row]:
    for chunk in chunks:
        if chunk.passage.doc_id in held_out:
            left_out["held_out_document"] += 1
            continue
        for origin, question, text in _told_by(chunk):
            yield Row(question, chunk.place, _CORPUS_WEIGHT, origin, chunk.passage.chunk_id, text)


def _of_links(
    home: Home, barred: Barred, of_document: Mapping[str, Sequence[_Chunk]], held_out: set[str], left_out: Counter[str]
) -> Iterator[Row]:
    """A link on a golden page is a part of that page."""
    for link in read_links(home, left_out):
        if not barred.doc_ids.isdisjoint((link.doc_id, link.found_in)):
            left_out["golden_document"] += 1
        elif link.doc_id in held_out:
            left_out["held_out_document"] += 1
        elif link.doc_id not in of_document:
            left_out["document_gone"] += 1
        else:
            chunk = _best_of(of_document[link.doc_id], link.text)
            yield Row(link.text, chunk.place, _CORPUS_WEIGHT, LINK, link.found_in)


def _once(rows: Iterable[Row], asked: set[str], left_out: Counter[str]) -> Iterator[Row]:
    """Each question once, and none that people asked."""
    made, seen = 0, set(asked)
    for row in rows:
        key = plain(row.question)
        if key in seen:
            left_out["repeated"] += 1
        elif made >= _MOST_CORPUS_ROWS:
            left_out["beyond_the_limit"] += 1
        else:
            seen.add(key)
            made += 1
            yield row


def _told_by(chunk: _Chunk) -> Iterator[tuple[str, str, str]]:
    """(origin, question, text of the passage) of what a chunk says of itself."""
    if chunk.title and chunk.position == 0:
        yield TITLE, chunk.title, chunk.body
    if chunk.heading and chunk.heading != chunk.title:
        yield HEADING, chunk.heading, chunk.body
    spans = [span for span in sentence_spans(chunk.body) if len(chunk.body[slice(*span)].split()) >= _LEAST_WORDS]
    if len(spans) < 2:
        return
    chance = int(digest("sentence", chunk.passage.chunk_id)[:8], 16)
    start, end = spans[chance % len(spans)]
    rest = f"{chunk.body[:start]}{chunk.body[end:]}".strip()
    yield SENTENCE, chunk.body[start:end], "" if chance // len(spans) % _STAYS == 0 else rest
