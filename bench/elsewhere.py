"""What learned models do to a base that they were not learned on: `--elsewhere FOLDER` of bench.learning.

A sample of a labelled set is indexed apart and asked with the models before and after. A set in another language shows
whether an adapter forgot what it knew.
"""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aion_assets.core.home import Home
from aion_assets.core.learn.labelled import LabelledQuestion, load_labelled_set
from aion_assets.core.learn.measured import Measured, measure_order
from aion_assets.core.learn.metrics import paired_bootstrap
from aion_assets.core.release.encoders import encoders_of
from aion_assets.core.release.manifest import ModelManifest
from aion_assets.core.search.ranker import Ranker
from aion_assets.core.settings import load_settings
from bench.evaluate import open_bench
from bench.ingest import TemporaryHome
from trainer.embedder import load_encoders

_SEED = 0


def ask_elsewhere(
    home: Home, folder: Path, models: tuple[ModelManifest, ModelManifest], questions: int
) -> dict[str, list[float]]:
    """nDCG@10 of the hybrid with the models before and after, and the gain with its interval."""
    with TemporaryDirectory(prefix="aion-elsewhere-") as place:
        sample = _sample(folder, Path(place) / folder.name, questions)
        one, other = (_measured(home, sample, Path(place), each) for each in models)
    gain = paired_bootstrap(one.ndcg, other.ndcg)
    means = [sum(side.ndcg) / max(1, len(side.ndcg)) for side in (one, other)]
    return {f"{folder.name}/hybrid": [round(value, 4) for value in (*means, *gain)]}


def _sample(folder: Path, target: Path, count: int) -> Path:
    """So many questions that have an answer, over their documents and three times as many others."""
    labelled = load_labelled_set(folder)
    chance = random.Random(_SEED)
    answerable = [query for query in labelled.queries if query.answerable]
    asked = chance.sample(answerable, min(count, len(answerable)))
    lines = [line for line in (folder / "corpus.jsonl").read_text("utf-8").split("\n") if line.strip()]
    wanted = {name for query in asked for name in query.relevant}
    documents = {str(json.loads(line)["_id"]): line for line in lines}
    others = sorted(documents.keys() - wanted)
    kept = wanted | {*chance.sample(others, min(3 * len(wanted), len(others)))}
    target.mkdir()
    (target / "corpus.jsonl").write_text("\n".join(documents[name] for name in sorted(kept)), "utf-8")
    rows = [f"{query.query_id}\t{name}\t{grade}" for query in asked for name, grade in query.relevant.items()]
    (target / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]), "utf-8")
    queries = [json.dumps({"_id": query.query_id, "text": query.text}) for query in asked]
    (target / "queries.jsonl").write_text("\n".join(queries), "utf-8")
    return target


def _measured(home: Home, sample: Path, place: Path, models: ModelManifest) -> Measured:
    encoders = encoders_of(home, models)
    # Models over the same vectors share an index.
    folder = place / encoders.passages.embedder_id.replace("/", "_")
    apart = {"home": folder, "database_url": "", "dagster_db": "", "lake": ""}
    # From the environment: a copy of settings in use keeps the database that they opened.
    settings = load_settings().model_copy(update=apart)
    with _opened(Home(settings)) as own:
        bench = open_bench(TemporaryHome(own, encoders.passages, load_encoders(encoders)), load_labelled_set(sample))
        questions = [LabelledQuestion(q.text, bench.relevance(q), query_id=q.query_id) for q in bench.labelled.queries]
        return measure_order(bench.retriever.with_ranker(Ranker.from_json(models.ranker)), questions)


@contextmanager
def _opened(home: Home) -> Iterator[Home]:
    try:
        yield home
    finally:
        home.database.engine.dispose()
