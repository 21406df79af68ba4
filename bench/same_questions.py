"""Count the questions of labelled folders that are taken for one: `python -m bench.same_questions FOLDER …`.

Prints those whose wordings differ, so that a person sees whether they ask the same.
"""

import sys
from collections import defaultdict
from pathlib import Path

from aion_assets.core.answer.same_question import Sense, sense_of
from aion_assets.core.language.question import Question
from aion_assets.core.learn.labelled import load_labelled_set


def main(folders: list[str]) -> None:
    for folder in folders:
        alike: dict[Sense, set[str]] = defaultdict(set)
        queries = load_labelled_set(Path(folder)).queries
        for item in queries:
            alike[sense_of(Question.read(item.text))].add(item.text)
        joined = [sorted(texts) for texts in alike.values() if len(texts) > 1]
        sys.stdout.write(f"{Path(folder).name}: {len(queries)} questions, {len(joined)} groups of several wordings\n")
        for texts in joined:
            sys.stdout.write(f"  {' = '.join(texts)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
