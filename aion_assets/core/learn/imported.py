"""Take golden questions from a folder in BEIR's form, or from a CSV file."""

import csv
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from aion_assets.core.errors import SourceError
from aion_assets.core.home import Home
from aion_assets.core.lake.conditions import quoted
from aion_assets.core.lake.tables import PAGES
from aion_assets.core.learn.golden import OF_IMPORT, Stored, store_golden
from aion_assets.core.learn.labelled import LabelledQuestion, load_labelled_set
from aion_assets.core.sources.store import list_sources

_FORM = "Its first line names the columns text and urls; several addresses stand in one cell, between spaces."


@dataclass(frozen=True, slots=True)
class Imported:
    """`left_out`: questions that were not taken, by reason."""

    stored: Stored
    left_out: Counter[str] = field(default_factory=Counter)


def import_golden(home: Home, path: Path, documents: set[str] | None = None) -> Imported:
    """`path` is a folder of corpus.jsonl, queries.jsonl and qrels.tsv whose corpus is a source, or a CSV file.

    `documents`: only questions on these corpus ids. Raises SourceError: it has another form, or its corpus is no
    source of this home.
    """
    questions, left_out = _of_folder(home, path.resolve(), documents) if path.is_dir() else (_of_csv(path), Counter())
    return Imported(store_golden(home, questions, OF_IMPORT), left_out)


def _of_folder(home: Home, folder: Path, documents: set[str] | None) -> tuple[list[LabelledQuestion], Counter[str]]:
    labelled = load_labelled_set(folder)
    addresses = _addresses(home, folder / "corpus.jsonl")
    left_out: Counter[str] = Counter()
    taken = []
    for question in labelled.queries:
        wanted = question.relevant if question.answerable else {}
        if documents is not None and not documents.issuperset(wanted):
            left_out["other_documents"] += 1
        elif not addresses.keys() >= wanted.keys():
            left_out["document_not_in_the_base"] += 1
        else:
            taken.append(replace(question, relevant={addresses[key]: grade for key, grade in wanted.items()}))
    return taken, left_out


def _addresses(home: Home, corpus: Path) -> dict[str, str]:
    """Corpus id → address of the document, as the source collected it."""
    for state in list_sources(home.database, home.settings):
        if Path(state.source.address) == corpus:
            rows = home.lake.rows(PAGES.name, ["locator", "url"], f"source_id = {quoted(state.source.source_id)}")
            return {row["locator"]: row["url"] for row in rows}
    raise SourceError(
        f"{corpus} is no source of this home.", f"Add it first: aion source add {corpus} --auto-approve, then aion run."
    )


def _of_csv(path: Path) -> list[LabelledQuestion]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as UTF-8 text: {error}.", _FORM) from error
    first = text.partition("\n")[0]
    rows = list(csv.DictReader(text.splitlines(), delimiter=";" if first.count(";") > first.count(",") else ","))
    questions = []
    for number, row in enumerate(rows, 2):
        if not (row.get("text") or "").strip() or row.get("urls") is None:
            raise SourceError(f"Line {number} of {path} is no labelled question.", _FORM)
        questions.append(LabelledQuestion(row["text"].strip(), dict.fromkeys(row["urls"].split(), 1)))
    return questions
