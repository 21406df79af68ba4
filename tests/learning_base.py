"""A base in which the order of what is found can be learned, and people who click.

Every document is a rule with a code that only full text can tell apart, while the models that serve look at vectors
alone. So whoever learns from clicks on the right rules finds that full text is worth more.
"""

import atexit
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from workbench import Workbench, loaded_embedder

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.extractive import answer_question
from aion_assets.core.ids import digest
from aion_assets.core.learn.golden import OF_IMPORT, store_golden
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.splits import freeze
from aion_assets.core.record.answers import AnswerRecord, Asked, close_answer, open_answer
from aion_assets.core.record.feedback import record_click
from aion_assets.core.release.models import store_candidate
from aion_assets.core.release.releases import Publication, Release, current_release, publish
from aion_assets.core.search.ranker import Ranker, halves_only
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.settings import Settings

RULES = 130
GOLDEN = 90


@cache
def _filled() -> tuple[Path, list[str]]:
    """A home that holds the rules, made once, and their addresses."""
    folder = Path(mkdtemp(prefix="aion-rules-"))
    atexit.register(shutil.rmtree, folder)
    lines = [
        {"_id": str(number), "url": address(number), "title": f"Rule {code(number)}",
         "text": f"Under rule {code(number)} a warehouse keeper must count the pallets of the store each "
         f"{'morning' if number % 2 else 'evening'} and sign the list of rule {code(number)}."}
        for number in range(RULES)
    ]  # fmt: skip
    corpus = folder / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    bench = Workbench(Settings(home=folder / "home", database_url=""))
    bench.run(bench.add(corpus, allow_domains=("rules.example",)))
    bench.database.engine.dispose()
    return folder / "home", [address(number) for number in range(RULES)]


@contextmanager
def learning_base(settings: Settings) -> Iterator["LearningBase"]:
    """In the home of the settings, which must be empty."""
    home, addresses = _filled()
    shutil.copytree(home, settings.home)
    made = LearningBase(settings, addresses)
    yield made
    made.database.engine.dispose()


def code(number: int) -> str:
    return f"QX{digest('code', str(number))[:6]}"


def address(number: int) -> str:
    """The same in every run, as the split of golden questions hangs on it."""
    return f"https://rules.example/{code(number)}"


def question(number: int) -> str:
    return f"What must a warehouse keeper do under rule {code(number)}?"


class LearningBase(Workbench):
    """`addresses` are those of the rules by number; the first GOLDEN have a golden question each."""

    def __init__(self, settings: Settings, addresses: Sequence[str]) -> None:
        super().__init__(settings)
        self.addresses = addresses
        self._retrievers: dict[str, Retriever] = {}

    def label(self) -> None:
        golden = [LabelledQuestion(question(number), {self.addresses[number]: 1}) for number in range(GOLDEN)]
        store_golden(self.home, golden, OF_IMPORT)
        freeze(self.home)

    def serve_ranker(self, ranker: Ranker) -> Release:
        """Let models with this ranker serve, as if they had been learned."""
        current = current_release(self.database, self.tenant_id)
        models = replace(current.models, ranker=ranker.to_json())
        store_candidate(self.home, models, "run-forced")
        return publish(self.home, current.index, models, Publication("tester"))

    def click_what_is_right(self) -> None:
        """Ask every question that is not golden, and click the document that answers it."""
        for number in range(GOLDEN, RULES):
            answer = self.ask(number, tau=1.0)
            for item in answer.nearest:
                if item.passage.url == self.addresses[number]:
                    record_click(self.home, answer.answer_id, item.number)

    def serve_vectors_alone(self) -> Release:
        return self.serve_ranker(halves_only(1.0, 0.0))

    def ask(self, number: int, **asked: Any) -> AnswerRecord:
        """The answer to the question on this rule, recorded as the server records it."""
        return self.ask_again(number, 1, **asked)[0]

    def ask_again(self, number: int, times: int, **asked: Any) -> list[AnswerRecord]:
        """What as many people get who ask the same."""
        release = current_release(self.database, self.tenant_id)
        text = asked.pop("text", question(number))
        retrieval = self._retriever(release).retrieve(text)
        answer = answer_question(
            retrieval, calibration=Calibration.from_json(release.models.calibration), tau=asked.pop("tau", 0.0)
        )
        asked_by = Asked(text, release.release_id, "p")
        opened = [open_answer(self.database, self.tenant_id, asked_by) for _ in range(times)]
        return [close_answer(self.database, answer_id, retrieval, answer, {"total": 12.0}) for answer_id in opened]

    def _retriever(self, release: Release) -> Retriever:
        if release.release_id not in self._retrievers:
            table = self.lake.table_at(release.table, release.tag)
            ranker = Ranker.from_json(release.models.ranker)
            self._retrievers[release.release_id] = Retriever(table, loaded_embedder(self.model), self.tenant_id, ranker)
        return self._retrievers[release.release_id]
