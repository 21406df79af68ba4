"""Answer with what a curator approved, where the same question comes again. It needs no new index."""

import re
import threading
from typing import Any

from aion_assets.core.answer.engine import Task
from aion_assets.core.answer.extractive import CURATED, Answer
from aion_assets.core.answer.same_question import Sense, sense_of
from aion_assets.core.answer.wording import wording
from aion_assets.core.database.steady import Steady
from aion_assets.core.home import Home
from aion_assets.core.language.question import Question
from aion_assets.core.language.times import shown_day
from aion_assets.core.record.corrections import (
    APPROVED,
    Correction,
    corrections_version,
    expire_corrections,
    read_correction,
    used_corrections,
)
from aion_assets.core.record.passages import CORRECTION_SOURCE, shown_at
from aion_assets.core.records import Citation, Passage, Place

# A number in brackets would be taken for a citation.
_NUMBER = re.compile(r"\[(\d+)\]")


class Curated:
    """Safe to share between threads. Every call sees the decisions of all processes; while the database is locked, and
    nothing was committed, those that it saw last.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._version_now: Steady[tuple[Any, ...]] | None = None
        self._version: tuple[Any, ...] = ()
        self._known: dict[Sense, Correction] = {}
        self._reading = threading.Lock()

    def answer(self, task: Task) -> tuple[Answer | None, str]:
        """The approved answer to just this question, if there is one; else None, and why one that was approved does not
        hold any more, "" if none was.
        """
        question = task.retrieval.question
        found = self._find(question) if question.text else None
        if found is None:
            return None, ""
        if found.state == APPROVED and not expire_corrections(self._home, found):
            return self._written(found, task), ""
        return None, read_correction(self._home, found.correction_id).reason

    def _find(self, question: Question) -> Correction | None:
        version = self._read_version()
        if version != self._version:
            with self._reading:
                self._known = self._read()
                self._version = version
        return self._known.get(sense_of(question)) if self._known else None

    def _read_version(self) -> tuple[Any, ...]:
        if self._version_now is None:
            tenant_id = self._home.tenant_id
            self._version_now = Steady(
                self._home.database, lambda connection: corrections_version(connection, tenant_id)
            )
        return self._version_now.get()

    def _read(self) -> dict[Sense, Correction]:
        """Of several on one question an approved one counts, and of these the one that was decided last."""
        known: dict[Sense, Correction] = {}
        for item in sorted(used_corrections(self._home), key=lambda item: item.state != APPROVED):
            known.setdefault(sense_of(Question.read(item.question)), item)
        return known

    def _written(self, item: Correction, task: Task) -> Answer:
        """The correction itself is cited first, and then the documents on which it rests."""
        language = task.retrieval.language
        cited = [Citation(1, self._passage(item, language), item.text)]
        ranks = [entry["rank"] for entry in item.rests_on]
        for number, source in enumerate(shown_at(self._home.database, item.answer_id, ranks), start=2):
            cited.append(Citation(number, source.passage, source.quote))
        text = _NUMBER.sub(r"(\1)", item.text) + " [1]"
        return Answer(CURATED, task.confidence, task.tau, language, cited, written=text)

    def _passage(self, item: Correction, language: str) -> Passage:
        assert item.decided_at is not None
        day = shown_day(item.decided_at, self._home.settings.zone, language)
        title = wording(language).curated.format(by=item.decided_by, day=day)
        url = f"/api/corrections/{item.correction_id}"
        return Passage(item.correction_id, "", "", CORRECTION_SOURCE, title, url, Place(), item.text)
