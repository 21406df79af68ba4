"""Bases of invented organisations, small and bare as such organisations write them, and what people would ask there.

Each folder holds `docs` and `questions.jsonl`, one {question, answers, documents} a line: `answers` are spans one of
which a right quote has, and a question without them has no answer in the base though its subject is near.
"""

import json
from pathlib import Path

from aion_assets.core.learn.labelled import LabelledQuestion, LabelledSet


def load_natural_sets(folder: Path = Path(__file__).parent) -> list[LabelledSet]:
    return [_set(path.parent) for path in sorted(folder.glob("*/questions.jsonl"))]


def natural_halves() -> dict[str, list[LabelledSet]]:
    """Two sets of bases, so that what is fitted on one can be judged on the other."""
    bases = load_natural_sets()
    return {"natural_one": bases[::2], "natural_other": bases[1::2]}


def _set(base: Path) -> LabelledSet:
    path, documents = base / "questions.jsonl", base / "docs"
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    questions = [
        LabelledQuestion(
            text=entry["question"],
            relevant=dict.fromkeys(entry["documents"], 1),
            answers=tuple(entry["answers"]),
            answerable=bool(entry["answers"]),
            query_id=f"{base.name}-{number}",
        )
        for number, entry in enumerate(entries)
    ]
    return LabelledSet(base.name, (str(documents),), questions, (path, *sorted(documents.iterdir())))
