"""A real site, crawled and asked: does the right page answer?

usage: AION_ALLOW_PRIVATE_NETWORKS=127.0.0.0/8 python -m bench.sites URL QUESTIONS.jsonl
QUESTIONS: one {"text", "page"} a line, `page` being the end of the right page's address.
"""

import json
import sys
from pathlib import Path

from aion_assets.core import releases
from aion_assets.core.answer.extractive import answer_question
from aion_assets.core.confidence import Calibration
from aion_assets.core.search.fusion import FusionConfig
from aion_assets.core.search.retriever import Retriever
from bench.ingest import temporary_home


def main() -> None:
    url, questions = sys.argv[1], Path(sys.argv[2])
    asked = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    with temporary_home() as home:
        seconds = home.ingest(home.add(url))
        tenant_id = home.settings.tenant_id
        manifest = releases.current_release(home.database, tenant_id)
        table = home.lake.table(manifest.index["table"])
        table.checkout(manifest.tag)
        retriever = Retriever(table, home.embedder, tenant_id, FusionConfig.from_json(manifest.fusion))
        calibration = Calibration.from_json(manifest.calibration)
        cited = answered = 0
        for item in asked:
            retrieval = retriever.retrieve(item["text"])
            answer = answer_question(retrieval, calibration=calibration, tau=home.settings.tau_confidence)
            pages = [citation.url for citation in answer.citations or answer.nearest]
            right = any(page.partition("#")[0].endswith(item["page"]) for page in pages)
            cited += right
            answered += bool(answer.citations)
            mark = "✓" if right else "✗"
            sys.stdout.write(f"{mark} {answer.used} C={answer.confidence:.2f} {item['text']}\n    {pages}\n")
        rows = home.lake.count("chunks")
    figures = {"asked": len(asked), "right_page": cited, "answered": answered, "chunks": rows, "seconds": seconds}
    sys.stdout.write(json.dumps(figures) + "\n")


main()
