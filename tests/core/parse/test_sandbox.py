"""Parser processes: limits, quarantine, and no process left behind."""

import json

from aion_assets.core.parse.sandbox import ParseJob, parse_all
from aion_assets.core.records import QuarantineReason
from aion_assets.core.settings import Settings

PAGE = b"<html lang=pt><title>Uma pagina</title><body><main><h1 id=topo>Titulo</h1><p>Um texto curto.</p></main></html>"


def job(key: str, body: bytes, filename: str = "", content_type: str = "") -> ParseJob:
    return ParseJob(key, body, "", content_type, filename)


def test_every_job_has_exactly_one_outcome() -> None:
    record = json.dumps({"title": "Registro", "text": "O texto do registro."}).encode()
    jobs = [job("page", PAGE, "a.html"), job("empty", b"", "b.pdf"), job("record", record, "", "application/x-ndjson")]
    outcomes = {outcome.key: outcome for outcome in parse_all(jobs, settings=Settings(), workers=2)}
    assert set(outcomes) == {"page", "empty", "record"}
    assert outcomes["page"].document is not None and outcomes["page"].document.title == "Uma pagina"
    assert outcomes["empty"].reason is QuarantineReason.EMPTY
    assert outcomes["record"].document is not None and outcomes["record"].document.text == "O texto do registro."
