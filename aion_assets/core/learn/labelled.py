"""Labelled questions on a corpus or on a web site.

A set is a folder of corpus.jsonl {_id, title, text}, queries.jsonl {_id, text, answers, answerable} and qrels.tsv. The
questions on a site are a file with one {text, pages} a line; `pages` are the paths of the pages that answer it.
"""

import csv
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from aion_assets.core.errors import SourceError


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """`relevant` maps documents, by corpus id or by address, to their grade. A question without any, or marked so, is
    not `answerable`. `answers` are texts that would be right.
    """

    text: str
    relevant: Mapping[str, int]
    answers: tuple[str, ...] = ()
    answerable: bool = True
    query_id: str = ""


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """`addresses` are added as sources. `files` are what was read of the set."""

    name: str
    addresses: tuple[str, ...]
    queries: list[LabelledQuestion]
    files: tuple[Path, ...]


def load_labelled_set(folder: Path, limit: int = 0, seed: int = 0) -> LabelledSet:
    """The whole corpus, and all queries or a random sample of `limit`.

    Raises SourceError: a file is missing or has another form.
    """
    corpus, queries, qrels = (folder / name for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"))
    for path in (corpus, queries, qrels):
        if not path.is_file():
            raise SourceError(f"{path} is missing.", "A labelled set holds corpus.jsonl, queries.jsonl and qrels.tsv.")
    relevant = _grades(qrels)
    try:
        # Not splitlines(): it also breaks at U+2028 and the like, which JSON strings may hold unescaped.
        entries = [json.loads(line) for line in queries.read_text("utf-8").split("\n") if line.strip()]
        found = [_query(entry, relevant[str(entry["_id"])]) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"{queries} does not hold one query a line: {type(error).__name__} {error}.",
            'A line is {"_id": "q1", "text": "…", "answers": ["…"], "answerable": true}; the last two may be left out.',
        ) from error
    if 0 < limit < len(found):
        found = random.Random(seed).sample(found, limit)
    return LabelledSet(folder.name, (str(corpus),), found, (corpus, queries, qrels))


def load_site_questions(url: str, path: Path) -> LabelledSet:
    """Raises SourceError: the file is missing or has another form."""
    try:
        entries = [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]
        found = [
            LabelledQuestion(
                text=entry["text"],
                relevant={urljoin(url, page): 1 for page in entry["pages"]},
                answerable=bool(entry["pages"]),
                query_id=str(number),
            )
            for number, entry in enumerate(entries)
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{path} holds no questions of a site: {type(error).__name__} {error}.") from error
    return LabelledSet(path.stem, (url,), found, (path,))


def together(name: str, sets: Sequence[LabelledSet]) -> LabelledSet:
    """One set of all their sources and all their questions."""
    return LabelledSet(
        name,
        tuple(address for item in sets for address in item.addresses),
        [query for item in sets for query in item.queries],
        tuple(path for item in sets for path in item.files),
    )


def _grades(qrels: Path) -> dict[str, dict[str, int]]:
    """Query id → corpus id → grade of the relevant documents. Ids are read literally, quotation marks included."""
    relevant: dict[str, dict[str, int]] = defaultdict(dict)
    with qrels.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            if number == 1 or not row:
                continue
            try:
                query_id, corpus_id, grade = row[0], row[1], int(row[2])
            except (IndexError, ValueError) as error:
                raise SourceError(
                    f"Line {number} of {qrels} is no judgement: {' '.join(row)!r}.",
                    "A line holds a query id, a corpus id and a grade, between tabs, below one line of column names.",
                ) from error
            if grade > 0:
                relevant[query_id][corpus_id] = grade
    return relevant


def _query(entry: dict[str, object], relevant: dict[str, int]) -> LabelledQuestion:
    answers = entry.get("answers") or []
    return LabelledQuestion(
        query_id=str(entry["_id"]),
        text=str(entry["text"]),
        answers=tuple(str(answer) for answer in answers) if isinstance(answers, list) else (),
        answerable=bool(entry.get("answerable", True)) and bool(relevant),
        relevant=relevant,
    )
