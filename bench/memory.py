"""Does memory grow with the corpus? Brings corpora of two sizes through the steps, each step in a process of its own.

    python -m bench.memory [--mb 10 100] [--embed]

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
from pathlib import Path

import typer

STEPS = ("pages", "documents", "curated", "chunks")
_FILE_BYTES = 50_000
_WORDS = 4_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, nargs=2, default=[10, 100], help="megabytes of text of the two corpora")
    parser.add_argument("--embed", action="store_true", help="also embed and index, minutes for every 10 MB")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        typer.echo(json.dumps(_run_step(arguments.step)))
        return
    steps = (*STEPS, "embeddings", "knowledge") if arguments.embed else STEPS
    measured = {size: _measure(size, steps) for size in arguments.mb}
    small, large = (measured[size] for size in arguments.mb)
    growth = {step: round(large[step]["peak_mb"] / small[step]["peak_mb"], 2) for step in steps}
    typer.echo(json.dumps({"corpora_mb": arguments.mb, "measured": measured, "growth": growth}))


def _measure(size_mb: int, steps: tuple[str, ...]) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="aion-memory-") as folder:
        corpus = Path(folder) / "corpus"
        _write_corpus(corpus, size_mb)
        environment = os.environ | {
            "AION_HOME": f"{folder}/home",
            "AION_DATABASE_URL": "",
            "AION_BENCH_CORPUS": str(corpus),
        }
        measured = {}
        for step in steps:
            done = subprocess.run(
                [sys.executable, "-m", "bench.memory", "--step", step], env=environment, stdout=subprocess.PIPE,
                text=True, check=True,
            )  # fmt: skip
            measured[step] = json.loads(done.stdout.splitlines()[-1])
            typer.echo(f"{size_mb} MB, {step}: {measured[step]}", err=True)
    return measured


def _write_corpus(folder: Path, size_mb: int) -> None:
    dice = random.Random(size_mb)
    letters = "aeiou", "bcdfglmnprstv"
    vocabulary = [
        "".join(dice.choice(letters[(place + 1) % 2]) for place in range(dice.randint(2, 9))) for _ in range(_WORDS)
    ]
    folder.mkdir(parents=True)
    for number in range(size_mb * 1_000_000 // _FILE_BYTES):
        lines, size = [f"# {' '.join(dice.choices(vocabulary, k=4)).title()}"], 0
        while size < _FILE_BYTES:
            paragraph = " ".join(
                f"{' '.join(dice.choices(vocabulary, k=dice.randint(6, 18))).capitalize()}." for _ in range(6)
            )
            lines.append(paragraph)
            size += len(paragraph) + 2
        (folder / f"{number:05}.md").write_text("\n\n".join(lines), "utf-8")


def _run_step(step: str) -> dict[str, float]:
    from aion_assets.core import sources
    from aion_assets.core.database import open_database
    from aion_assets.core.embedding_model import find_embedding_model
    from aion_assets.core.lake import Lake
    from aion_assets.core.settings import load_settings
    from aion_assets.core.steps.chunks import chunk_source
    from aion_assets.core.steps.curated import curate_source
    from aion_assets.core.steps.documents import parse_source
    from aion_assets.core.steps.embeddings import Embedder, embed_source
    from aion_assets.core.steps.knowledge import build_index
    from aion_assets.core.steps.pages import collect_source
    from aion_assets.core.steps.report import silent

    settings = load_settings()
    database, lake = open_database(settings), Lake(settings.lake_uri)
    if step == "pages":
        sources.add_source(database, settings, os.environ["AION_BENCH_CORPUS"], auto_approve=True)
    source = sources.list_sources(database, settings)[0].source
    model = find_embedding_model(settings.embed_model)

    def load() -> Embedder:
        from trainer.embedder import Embedder as TorchEmbedder

        return TorchEmbedder(model)

    work = {
        "pages": lambda: collect_source(lake, database, settings, source, "bench", silent),
        "documents": lambda: parse_source(lake, settings, source, "bench", "bench", silent),
        "curated": lambda: curate_source(lake, database, source, "bench"),
        "chunks": lambda: chunk_source(lake, source, model, "bench", "bench", silent),
        "embeddings": lambda: embed_source(lake, source, model.embedder_id, load, silent),
        "knowledge": lambda: build_index(
            lake, database, settings.tenant_id, model.embedder_id, model.dimension, silent
        ),
    }  # fmt: skip
    started = time.monotonic()
    report = work[step]()
    # Linux counts kilobytes, macOS bytes.
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {"peak_mb": round(peak_mb, 1), "rows": report.rows, "seconds": round(time.monotonic() - started, 1)}


if __name__ == "__main__":
    main()
