"""Learn the calibration of confidence from golden questions and from answers that people judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.answer.evidence import evidence_of, quotes_of
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.calibration import Case
from aion_assets.core.learn.golden import DEV, TRAIN, golden_questions
from aion_assets.core.learn.judged import judged_cases
from aion_assets.core.learn.labelled import LabelledQuestion
from aion_assets.core.learn.recalibration import recalibrate
from aion_assets.core.release.releases import Release
from aion_assets.core.search.retriever import Retriever
from aion_assets.core.steps.candidate import open_retriever
from aion_assets.core.steps.report import ShowProgress, silent


@dataclass(frozen=True, slots=True)
class LearnedCalibration:
    """`calibration` is that of the release when the questions tell nothing else."""

    calibration: Calibration
    figures: dict[str, Any]


def learn_calibration(
    home: Home, release: Release, embedder: QueryEmbedder, show: ShowProgress = silent
) -> LearnedCalibration:
    """Golden questions are asked as they are and with their documents hidden. The train split and judged answers are
    fitted on, the dev split chooses between two ways; the test split is not touched.
    """
    retriever = open_retriever(home, release, release.models, embedder)
    train, dev = (by_document(home, golden_questions(home, split)) for split in (TRAIN, DEV))
    total = len(train) + len(dev)
    fit_on = [*_cases(retriever, train, lambda done: show(done, total, "golden questions"))]
    judged = judged_cases(home, release)
    choose_on = _cases(retriever, dev, lambda done: show(len(train) + done, total, "golden questions"))
    fitted_on = {"golden": total, "judged": len(judged), "release": release.release_id[:16]}
    serving = Calibration.from_json(release.models.calibration)
    found = recalibrate(serving, [*fit_on, *judged], choose_on, fitted_on)
    figures = {"golden_cases": len(fit_on) + len(choose_on), "judged_answers": len(judged)}
    return LearnedCalibration(found, {**figures, "how": str(found.fitted_on.get("how", "kept"))})


def _cases(retriever: Retriever, questions: Sequence[LabelledQuestion], show: Any) -> list[Case]:
    cases = []
    for done, question in enumerate(questions, 1):
        if question.answerable:
            found = retriever.retrieve(question.text)
            quoted = quotes_of(found)[:1]
            # A golden question names the documents that answer it: another's quote does not.
            right = any(quote.hit.doc_id in question.relevant for quote in quoted)
            cases.append(Case(evidence_of(found), found.language, right))
        without = retriever.retrieve(question.text, hidden_docs=frozenset(question.relevant))
        cases.append(Case(evidence_of(without), without.language, False))
        show(done)
    return cases
