"""A base whose readers use other words than its documents: made-up ones, each of which stands for a word there.

Full text finds each document by its number. The embedding model has never met the words; whoever learns from pairs what
they stand for finds documents of other pairs by them, too.
"""

import atexit
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import mkdtemp

import pytest
from models import shallow_model
from workbench import Workbench

from aion_assets.core.ids import digest
from aion_assets.core.learn.golden import OF_IMPORT, store_golden
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.splits import freeze
from aion_assets.core.settings import Settings, load_settings

COLOURS = {"red": "zorp", "green": "blick", "white": "quam", "black": "drell", "yellow": "vosh"}
THINGS = {"bicycle": "tarn", "lamp": "oubek", "carpet": "sniff", "piano": "glud", "mirror": "wexi", "kettle": "prum"}
PLACES = {"attic": "hoolo", "garden": "mirt", "kitchen": "yaff", "cellar": "kest"}


def _told() -> list[tuple[str, str, str]]:
    """(document, question, address)"""
    found = []
    for colour, thing, place in product(COLOURS, THINGS, PLACES):
        number = digest(colour, thing, place)[:6]
        text = f"The {colour} {thing} is in the {place}. Its number in the list is {number}."
        question = f"Where is the {COLOURS[colour]} {THINGS[thing]} of the {PLACES[place]}, number {number}?"
        found.append((text, question, f"https://house.example/{number}"))
    return found


@cache
def _filled() -> Path:
    """A home that holds the documents, made once."""
    folder = Path(mkdtemp(prefix="aion-words-"))
    atexit.register(shutil.rmtree, folder)
    lines = [{"_id": url, "url": url, "title": "", "text": text} for text, _, url in _told()]
    corpus = folder / "corpus.jsonl"
    corpus.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    bench = Workbench(Settings(home=folder / "home", database_url="", embed_model=str(shallow_model())))
    bench.run(bench.add(corpus, allow_domains=("house.example",)))
    bench.database.engine.dispose()
    return folder / "home"


@contextmanager
def vocabulary_base(**settings: str) -> Iterator["VocabularyBase"]:
    """In the home of the environment, which must be empty; settings are put into the environment, too."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AION_EMBED_MODEL", str(shallow_model()))
        for name, value in settings.items():
            environment.setenv(f"AION_{name.upper()}", value)
        filled = load_settings()
        shutil.copytree(_filled(), filled.home)
        made = VocabularyBase(filled)
        yield made
        made.database.engine.dispose()


class VocabularyBase(Workbench):
    """`right` says which address answers which question; `label` makes these golden."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.right = {question: url for _, question, url in _told()}

    def label(self) -> None:
        golden = [LabelledQuestion(text, {url: 1}) for text, url in self.right.items()]
        store_golden(self.home, golden, OF_IMPORT)
        freeze(self.home)
