"""Does memory grow with the corpus? Brings corpora of two sizes through the steps, each step in a process of its own.

    python -m bench.memory [--mb 10 100] [--dump] [--embed | --draw]

Prints one JSON object: the peak resident size of each step by corpus size, and the growth between the two. Texts are
made of a seeded vocabulary, so that no two sentences are alike and nothing is deduplicated.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import typer
from numpy.typing import NDArray

if TYPE_CHECKING:
    from aion_assets.core.index.embedder import Embedder
    from aion_assets.core.index.embedding_model import EmbeddingModel
    from aion_assets.core.steps.context import SourceRun

STEPS = ("pages", "documents", "curated", "chunks")
WITH_VECTORS = (*STEPS, "embeddings", "knowledge", "checks", "report", "release")
_FILE_BYTES = 50_000
_RECORD_BYTES = 1_000
_SENTENCES = 6
_WORDS = 4_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, nargs=2, default=[10, 100], help="megabytes of text of the two corpora")
    parser.add_argument("--dump", action="store_true", help="one dump of documents of 1 kB instead of files of 50 kB")
    vectors = parser.add_mutually_exclusive_group()
    vectors.add_argument("--embed", action="store_true", help="also embed, index and release, minutes for every 10 MB")
    vectors.add_argument("--draw", action="store_true", help="the same with vectors drawn by lot instead of embedded")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        typer.echo(json.dumps(_run_step(arguments.step, arguments.draw)))
        return
    steps = WITH_VECTORS if arguments.embed or arguments.draw else STEPS
    write = _write_dump if arguments.dump else _write_folder
    measured = {size: _measure(size, write, steps, ["--draw"] if arguments.draw else []) for size in arguments.mb}
    small, large = (measured[size] for size in arguments.mb)
    growth = {step: round(large[step]["peak_mb"] / small[step]["peak_mb"], 2) for step in steps}
    typer.echo(json.dumps({"corpora_mb": arguments.mb, "measured": measured, "growth": growth}))


def _measure(
    size_mb: int, write: Callable[[Path, int], Path], steps: tuple[str, ...], options: list[str]
) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="aion-memory-") as folder:
        environment = os.environ | {
            "AION_HOME": f"{folder}/home",
            "AION_DATABASE_URL": "",
            "AION_BENCH_CORPUS": str(write(Path(folder), size_mb)),
        }
        measured = {}
        for step in steps:
            done = subprocess.run(
                [sys.executable, "-m", "bench.memory", "--step", step, *options], env=environment,
                stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
            measured[step] = json.loads(done.stdout.splitlines()[-1])
            typer.echo(f"{size_mb} MB, {step}: {measured[step]}", err=True)
    return measured


def _write_folder(parent: Path, size_mb: int) -> Path:
    writer = _Writer(size_mb)
    folder = parent / "corpus"
    folder.mkdir()
    for number in range(size_mb * 1_000_000 // _FILE_BYTES):
        lines = [f"# {writer.title()}"]
        while sum(map(len, lines)) < _FILE_BYTES:
            lines.append(writer.paragraph())
        (folder / f"{number:05}.md").write_text("\n\n".join(lines), "utf-8")
    return folder


def _write_dump(parent: Path, size_mb: int) -> Path:
    writer = _Writer(size_mb)
    path = parent / "corpus.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(size_mb * 1_000_000 // _RECORD_BYTES):
            text = f"{writer.paragraph()} {writer.paragraph()}"[:_RECORD_BYTES]
            file.write(json.dumps({"id": str(number), "title": writer.title(), "text": text}) + "\n")
    return path


class _Writer:
    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        letters = "aeiou", "bcdfglmnprstv"
        self._vocabulary = [
            "".join(self._dice.choice(letters[(place + 1) % 2]) for place in range(self._dice.randint(2, 9)))
            for _ in range(_WORDS)
        ]

    def title(self) -> str:
        return " ".join(self._dice.choices(self._vocabulary, k=4)).title()

    def paragraph(self) -> str:
        lengths = (self._dice.randint(6, 18) for _ in range(_SENTENCES))
        sentences = (" ".join(self._dice.choices(self._vocabulary, k=length)) for length in lengths)
        return " ".join(f"{sentence.capitalize()}." for sentence in sentences)


class _DrawnVectors:
    """Stands in for the model where embedding a corpus takes too long: directions around a few hundred topics."""

    def __init__(self, model: "EmbeddingModel") -> None:
        self.embedder_id = model.embedder_id
        self.dimension = model.dimension
        self._dice = np.random.default_rng(7)
        self._topics = self._dice.normal(size=(300, model.dimension))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        near = self._topics[self._dice.integers(len(self._topics), size=len(texts))]
        vectors = near + self._dice.normal(0, 0.5, near.shape)
        unit: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit.astype(np.float32)

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.embed([text])[0]
        return vector


def _run_step(step: str, draw: bool) -> dict[str, float]:
    from aion_assets.core.home import Home
    from aion_assets.core.index.embedding_model import find_embedding_model
    from aion_assets.core.settings import load_settings
    from aion_assets.core.sources.store import add_source, list_sources
    from aion_assets.core.steps.context import SourceRun

    home = Home(load_settings(), spare=True)
    if step == "pages":
        add_source(home.database, home.settings, os.environ["AION_BENCH_CORPUS"], auto_approve=True)
    run = SourceRun(home, list_sources(home.database, home.settings)[0].source, "bench")
    work = _work(run, find_embedding_model(home.settings.embed_model, home.settings.home), draw)
    started = time.monotonic()
    rows = work[step]()
    # Linux counts kilobytes, macOS bytes.
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {"peak_mb": round(peak_mb, 1), "rows": rows, "seconds": round(time.monotonic() - started, 1)}


def _work(run: "SourceRun", model: "EmbeddingModel", draw: bool) -> dict[str, Callable[[], int]]:
    """Step → what does it; each gives the number of its rows."""
    from aion_assets.core.steps.chunks import chunk_source
    from aion_assets.core.steps.curated import curate_source
    from aion_assets.core.steps.documents import parse_source
    from aion_assets.core.steps.embeddings import embed_source
    from aion_assets.core.steps.knowledge import build_index
    from aion_assets.core.steps.pages import collect_source
    from aion_assets.core.steps.release import release_index
    from aion_assets.core.steps.retrieval_report import measure_retrieval

    home = run.home

    def load() -> "Embedder":
        from trainer.embedder import Embedder as LoadedEmbedder

        return _DrawnVectors(model) if draw else LoadedEmbedder(model)

    return {
        "pages": lambda: collect_source(run).rows,
        "documents": lambda: parse_source(run, "bench").rows,
        "curated": lambda: curate_source(run).rows,
        "chunks": lambda: chunk_source(run, model, "bench").rows,
        "embeddings": lambda: embed_source(run, model.embedder_id, load).rows,
        "knowledge": lambda: build_index(home, model.embedder_id, model.dimension).rows,
        "checks": lambda: _check(run, model),
        "report": lambda: measure_retrieval(home, model, load).rows,
        "release": lambda: int(release_index(home, model, "bench").release.index["rows"]),
    }


def _check(run: "SourceRun", model: "EmbeddingModel") -> int:
    """Number of the chunks."""
    from aion_assets.core.steps import claims
    from aion_assets.core.steps.gates import gates

    findings = [
        claims.most_locations_answered(run.lake, run.source_id),
        claims.every_stored_page_has_an_outcome(run.lake, run.source_id),
        claims.chunk_ids_are_unique(run.lake),
        claims.no_chunk_is_truncated(run.lake, model),
        claims.every_chunk_is_embedded(run.lake, model.embedder_id, run.source_id),
        *gates(run.home, model.embedder_id).values(),
    ]
    for finding in findings:
        if not finding.holds:
            typer.echo(finding.says, err=True)
    return int(findings[2].figures["chunks"])


if __name__ == "__main__":
    main()
