"""`make bench`: what AION promises of its speed, as ratios to counterparts of the same run where there is one.

usage: python -m bench.speed [FOLDER] [--json]   (FOLDER: files to ingest; AION's own manual when left out)
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from aion_assets.core.errors import ParseError
from aion_assets.core.index.chunker import chunk_document
from aion_assets.core.lake.tables import CHUNKS
from aion_assets.core.parse import parse_bytes
from bench.ingest import TemporaryHome, temporary_home
from bench.search_latency import search_p50_ms

_EMBED_TEXTS = 400
_IMPORT = "import sys; import aion_assets.definitions; sys.exit('torch' in sys.modules)"


@dataclass(slots=True)
class Figure:
    what: str
    value: float
    floor: str
    holds: bool
    detail: str


def measure(folder: Path) -> list[Figure]:
    with temporary_home() as home:
        home.embedder.embed(["warm"])
        _straight_line(folder, home)  # first run: imports and warm-up, not measured
        straight = _straight_line(folder, home)
        source = home.add(str(folder))
        first = home.ingest(source)
        again = home.ingest(source)
        texts = [row["embed_text"] for row in home.lake.rows(CHUNKS.name, ["embed_text"])]
        figures = [
            _at_least(
                "ingest ÷ straight-line script", straight / first["total"], 0.8, f"{straight:.1f} s, {_steps(first)}"
            ),
            _embedding(home, texts),
            _at_most("unchanged run ÷ first run", again["total"] / first["total"], 0.1, _steps(again)),
            _at_most("search p50, ms, 30 000 chunks", search_p50_ms(home, 30_000), 20.0, "query embedding included"),
        ]
    started = time.monotonic()
    without_torch = subprocess.run([sys.executable, "-c", _IMPORT], check=False).returncode == 0
    imported = _at_most("import definitions, s", time.monotonic() - started, 3.0, f"without torch: {without_torch}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    return [*figures, imported, Figure("peak memory of this bench, MB", peak, "", True, "")]


def _straight_line(folder: Path, home: TemporaryHome) -> float:
    """Seconds for the same library calls in a row: one pass without isolation, lineage and comparison."""
    import lancedb
    from lancedb.index import FTS

    started = time.monotonic()
    rows = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            document = parse_bytes(path.read_bytes(), url=path.as_uri(), content_type="", filename=path.name)
        except ParseError:
            continue
        for chunk in chunk_document(document.text, document.title, document.anchors, home.model):
            rows.append({"text": chunk.text, "embed_text": chunk.embed_text, "url": path.as_uri()})
    vectors = home.embedder.embed([row["embed_text"] for row in rows])
    for row, vector in zip(rows, vectors, strict=True):
        row["vector"] = vector.tolist()
    with TemporaryDirectory() as lake:
        table = lancedb.connect(lake).create_table("knowledge", rows)
        table.create_index("text", config=FTS(language="Portuguese", with_position=False))
        return time.monotonic() - started


def _embedding(home: TemporaryHome, texts: list[str]) -> Figure:
    from sentence_transformers import SentenceTransformer

    from trainer.embedder import best_precision

    some = (texts * (_EMBED_TEXTS // max(1, len(texts)) + 1))[:_EMBED_TEXTS]
    reference = SentenceTransformer(str(home.model.folder), device="cpu")
    reference.encode(some[:16])
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(3):  # alternately, so that a drift of the machine affects both
        for name, encode in (("ours", home.embedder.embed), ("plain", reference.encode)):
            started = time.monotonic()
            encode(some)
            seconds[name].append(time.monotonic() - started)
    ratio = statistics.median(np.array(seconds["plain"]) / np.array(seconds["ours"]))
    rate = _EMBED_TEXTS / statistics.median(seconds["ours"])
    what, detail = "embedding ÷ plain fp32 encode", f"{rate:.0f} chunks/s in {best_precision()}"
    if best_precision() == "fp32":
        return Figure(what, round(float(ratio), 3), "", True, f"{detail}, as this processor has no bf16")
    return _at_least(what, float(ratio), 3.0, detail)


def _at_least(what: str, value: float, floor: float, detail: str) -> Figure:
    return Figure(what, round(value, 3), f"≥ {floor}", value >= floor, detail)


def _at_most(what: str, value: float, ceiling: float, detail: str) -> Figure:
    return Figure(what, round(value, 3), f"≤ {ceiling}", value <= ceiling, detail)


def _steps(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--json"]
    with TemporaryDirectory() as built:
        folder = Path(arguments[0]) if arguments else _manual(Path(built))
        figures = measure(folder)
    table = Table(box=None)
    for column in ("what", "value", "promised", "", "detail"):
        table.add_column(column, overflow="fold")
    for figure in figures:
        table.add_row(figure.what, f"{figure.value:g}", figure.floor, "✓" if figure.holds else "✗", figure.detail)
    Console().print(table)
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"figures": [asdict(figure) for figure in figures]}, ensure_ascii=False) + "\n")


def _manual(folder: Path) -> Path:
    builder = Path(__file__).resolve().parents[1] / "docs" / "build_manual.py"
    subprocess.run([sys.executable, str(builder), str(folder)], check=True, capture_output=True)
    return folder


if __name__ == "__main__":
    main()
