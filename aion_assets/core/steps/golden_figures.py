"""What the golden questions say of the release that serves, measured once for each release and set of questions."""

from aion_assets.core.answer.confidence import Calibration
from aion_assets.core.home import Home
from aion_assets.core.index.embedder import QueryEmbedder
from aion_assets.core.learn.addressed import by_document
from aion_assets.core.learn.curated import with_expected_answers
from aion_assets.core.learn.golden import golden_digest, measured_questions
from aion_assets.core.learn.measured import Measured, measure
from aion_assets.core.learn.reports import GOLDEN, newest_report, store_report
from aion_assets.core.release.models import serving_release
from aion_assets.core.release.releases import Release
from aion_assets.core.steps.candidate import open_retriever
from aion_assets.core.steps.context import LoadEmbedderOf
from aion_assets.core.steps.report import ShowProgress, silent


def golden_figures(
    home: Home, load: LoadEmbedderOf, run_id: str = "", show: ShowProgress = silent
) -> tuple[Measured, Release | None]:
    """The figures, which are empty without golden questions or before the first release."""
    release = serving_release(home)
    questions = measured_questions(home)
    if release is None or not questions:
        return Measured(), release
    wanted = golden_digest(questions)
    stored = newest_report(home, GOLDEN, release.release_id)
    if stored is not None and stored.body["golden"] == wanted:
        return Measured.from_json(stored.body["figures"]), release
    found = measure(
        open_retriever(home, release, release.models, _embedder(load, release)),
        Calibration.from_json(release.models.calibration),
        with_expected_answers(home, by_document(home, questions)),
        lambda done, total: show(done, total, "golden questions"),
    )
    body = {"golden": wanted, "figures": found.to_json(), "models": release.model_release_id}
    store_report(home, GOLDEN, release.release_id, body, run_id)
    return found, release


def _embedder(load: LoadEmbedderOf, release: Release) -> QueryEmbedder:
    return load(release.models)
