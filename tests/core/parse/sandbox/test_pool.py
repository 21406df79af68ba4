"""Parser processes: limits, quarantine, and no process left behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from aion_assets.core.errors import AionError
from aion_assets.core.parse.sandbox import child
from aion_assets.core.parse.sandbox.pool import ParseJob, parse_all
from aion_assets.core.records import ParseOutcome, QuarantineReason
from aion_assets.core.settings import Settings

SETTINGS = Settings()
PAGE = b"<html lang=pt><title>Uma pagina</title><body><main><h1 id=topo>Titulo</h1><p>Um texto curto.</p></main></html>"
# Some 20 s of work for trafilatura.
ENDLESS_PAGE = b"<html><body>" + b"<p>Um <b>texto</b> de verdade.</p>" * 200_000


def job(key: str, body: bytes = b"um texto curto", filename: str = "a.txt", content_type: str = "") -> ParseJob:
    return ParseJob(key, body, "", content_type, filename)


def children() -> list[psutil.Process]:
    """Parser processes of this one and what they started. Python's tracker of shared memory, which other tests start,
    lives as long as this process."""
    found = psutil.Process().children(recursive=True)
    alive = [process for process in found if process.status() != psutil.STATUS_ZOMBIE]
    return [process for process in alive if "multiprocessing.resource_tracker" not in " ".join(process.cmdline())]


def by_key(outcomes: Iterator[ParseOutcome]) -> dict[str, ParseOutcome]:
    return {outcome.key: outcome for outcome in outcomes}


def test_every_job_has_exactly_one_outcome() -> None:
    record = json.dumps({"title": "Registro", "text": "O texto do registro."}).encode()
    jobs = [
        job("page", PAGE, "a.html"),
        job("empty", b"", "b.pdf"),
        job("record", record, "", "application/x-ndjson"),
        job("wrong name", b"<html><p>Ata da sessao.</p></html>", "ata.csv"),
    ]
    seen = list(parse_all(jobs, settings=SETTINGS, workers=2))
    assert sorted(outcome.key for outcome in seen) == ["empty", "page", "record", "wrong name"]
    outcomes = by_key(iter(seen))
    page = outcomes["page"].document
    assert page is not None and page.title == "Uma pagina" and page.anchors[0].fragment == "topo"
    assert outcomes["empty"].reason is QuarantineReason.EMPTY and outcomes["empty"].document is None
    assert outcomes["record"].document is not None and outcomes["record"].document.text == "O texto do registro."
    assert outcomes["wrong name"].detail == "named csv, but its content is html"
    assert all(outcome.seconds > 0 for outcome in seen)
    assert children() == []


def test_a_parser_process_leaves_the_rest_out_before_its_time_is_over(tmp_path: Path) -> None:
    pages = [Image.new("L", (400, 200), "white") for _ in range(2)]
    pages[0].save(tmp_path / "scan.pdf", save_all=True, append_images=pages[1:])
    body = (tmp_path / "scan.pdf").read_bytes()
    request = {"size": len(body), "timeout_s": 0.0, "url": "", "content_type": "", "filename": "scan.pdf"}
    with (tmp_path / "scan.pdf").open("rb") as file:
        answer = child._handle(file.fileno(), request)
    assert answer["detail"] == "pages from 1 on that are pictures are not read: the time limit is near"
    assert answer["reason"] == QuarantineReason.TIMEOUT


def test_a_file_that_takes_too_long_costs_nobody_else_their_outcome() -> None:
    jobs = [job("before"), job("endless", ENDLESS_PAGE, "a.html"), *(job(f"after {n}") for n in range(20))]
    started = time.monotonic()
    outcomes = by_key(parse_all(jobs, settings=Settings(parse_timeout_s=2.0), workers=1))
    assert outcomes.pop("endless").reason is QuarantineReason.TIMEOUT
    assert len(outcomes) == 21 and all(outcome.document for outcome in outcomes.values())
    assert time.monotonic() - started < 20
    assert children() == []


def test_a_file_that_needs_too_much_memory_is_quarantined() -> None:
    picture = io.BytesIO()
    Image.new("1", (9_900, 9_900)).save(picture, "PNG")  # 15 kilobytes, 98 million pixels
    limited = Settings(parse_memory_bytes=400_000_000)
    outcomes = by_key(parse_all([job("large", picture.getvalue(), "a.png"), job("small")], settings=limited))
    assert outcomes["large"].reason is QuarantineReason.MEMORY
    assert outcomes["small"].document is not None


def test_a_parser_that_dies_is_replaced() -> None:
    def jobs() -> Iterator[ParseJob]:
        yield from (job("first"), job("killed", ENDLESS_PAGE, "a.html"), job("drawn early"))
        yield job("last")

    outcomes = parse_all(jobs(), settings=SETTINGS, workers=2)
    seen = [next(outcomes), next(outcomes)]
    for process in children():  # the idle one too: its next job is not to blame, and gets a new process
        process.kill()
    time.sleep(0.3)  # until the kernel has ended them
    seen += list(outcomes)
    reasons = {outcome.key: outcome.reason for outcome in seen}
    assert len(seen) == 4 and reasons["killed"] is QuarantineReason.KILLED
    assert reasons["first"] is reasons["last"] is None
    assert "SIGKILL" in next(outcome.detail for outcome in seen if outcome.key == "killed")


def test_jobs_are_drawn_only_as_workers_become_free() -> None:
    drawn = 0

    def jobs() -> Iterator[ParseJob]:
        nonlocal drawn
        for number in range(100):
            drawn += 1
            yield job(str(number))

    ahead = []
    for done, _ in enumerate(parse_all(jobs(), settings=SETTINGS, workers=2), 1):
        ahead.append(drawn - done)
    assert drawn == 100 and max(ahead) <= 4


def test_two_documents_start_one_process() -> None:
    outcomes = parse_all([job("a"), job("b")], settings=SETTINGS, workers=8)
    next(outcomes)
    assert len(children()) == 1
    list(outcomes)


def test_closing_the_iterator_ends_all_processes() -> None:
    outcomes = parse_all((job(str(number)) for number in range(100)), settings=SETTINGS, workers=2)
    next(outcomes)
    assert children()
    outcomes.close()
    assert children() == []


def test_no_jobs_start_no_process() -> None:
    assert list(parse_all([], settings=SETTINGS)) == []


def test_a_parser_dies_with_its_parent() -> None:
    program = (
        "from aion_assets.core.parse.sandbox.pool import ParseJob, parse_all\n"
        "from aion_assets.core.settings import Settings\n"
        "page = b'<html><body>' + b'<p>Um <b>texto</b> de verdade.</p>' * 200_000\n"
        "jobs = [ParseJob('a', b'texto', '', '', 'a.txt'), ParseJob('b', page, '', '', 'a.html')]\n"
        "for outcome in parse_all(jobs, settings=Settings()): print(outcome.key, flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None and parent.stdout.readline() == b"a\n"
    (parser,) = psutil.Process(parent.pid).children()
    before = parser.cpu_times().user
    while parser.cpu_times().user < before + 1.0:  # until it is deep in its work and does not read its input
        time.sleep(0.05)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert psutil.wait_procs([parser], timeout=5)[1] == []


def test_a_parser_knows_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    outcomes = parse_all([job("a"), job("b")], settings=SETTINGS)
    next(outcomes)
    assert "OPENAI_API_KEY" not in children()[0].environ()
    outcomes.close()


def test_an_installation_whose_parser_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no such module >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(AionError, match="does not start: no such module"):
        list(parse_all([job("a")], settings=SETTINGS))


@pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")
def test_a_parser_has_no_network_where_the_kernel_lets_it_leave() -> None:
    if subprocess.run(["unshare", "--user", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel grants no network namespace")
    outcomes = parse_all([job("a"), job("b")], settings=SETTINGS)
    next(outcomes)
    (parser,) = children()
    assert Path(f"/proc/{parser.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    outcomes.close()


def test_real_files_of_every_kind_have_one_outcome_each(shared_data: Path) -> None:
    """A sample of the corpora: each fifteenth document, each twentieth encoding, and what is broken by intent."""
    paths = [path for path in sorted((shared_data / "documents").rglob("*")) if path.is_file()][::15]
    paths += sorted((shared_data / "charset").rglob("*.*"))[::20]
    paths += sorted((shared_data / "bad" / "pdf_small").iterdir())
    jobs = (job(str(path), path.read_bytes(), path.name) for path in paths)
    outcomes = list(parse_all(jobs, settings=SETTINGS))
    assert sorted(outcome.key for outcome in outcomes) == sorted(map(str, paths))
    for outcome in outcomes:
        assert (outcome.document is None) != (outcome.reason is None)
        assert outcome.reason not in (QuarantineReason.TIMEOUT, QuarantineReason.MEMORY, QuarantineReason.CRASH)
        if outcome.document is not None:
            offsets = [anchor.offset for anchor in outcome.document.anchors]
            assert offsets == sorted(set(offsets)) and all(offset < len(outcome.document.text) for offset in offsets)
            assert outcome.document.title and outcome.document.text.strip() == outcome.document.text
