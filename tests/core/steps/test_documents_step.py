import io
import threading
import time
from pathlib import Path
from shutil import which

import psutil
import pytest
import reportlab
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from workbench import Workbench, article, write_files

from aion_assets.core.parse.formats import ocr
from aion_assets.core.records import Source
from aion_assets.core.steps import claims, documents


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "f", a_md=article("lavender"), b_md=article("bicycles"), c_pdf="%PDF-1.4 broken")


@pytest.fixture
def source(workbench: Workbench, folder: Path) -> Source:
    return workbench.add(folder)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """File names that reached a parser, in order; the parsers are the real ones."""
    seen: list[str] = []
    real = documents.parse_all

    def counting(jobs, **options):  # type: ignore[no-untyped-def]
        def noted():  # type: ignore[no-untyped-def]
            for job in jobs:
                seen.append(job.filename)
                yield job

        return real(noted(), **options)

    monkeypatch.setattr(documents, "parse_all", counting)
    return seen


def test_only_bodies_that_changed_are_parsed_again(
    workbench: Workbench, folder: Path, source: Source, parsed: list[str]
) -> None:
    workbench.collect(source)
    first = workbench.parse(source)
    assert sorted(parsed) == ["a.md", "b.md", "c.pdf"]
    assert (first.counts["parsed"], first.counts["quarantined"], first.counts["new"]) == (2, 1, 3)

    parsed.clear()
    workbench.collect(source)
    again = workbench.parse(source)
    assert parsed == [] and again.data_version == first.data_version and again.counts["unchanged"] == 3

    write_files(folder, a_md=article("lavender", 2))
    workbench.collect(source)
    seen_first = {row["doc_id"]: row["first_seen"] for row in workbench.rows("documents", "doc_id first_seen")}
    changed = workbench.parse(source)
    assert parsed == ["a.md"] and changed.counts["changed"] == 1 and changed.data_version != first.data_version
    assert {row["doc_id"]: row["first_seen"] for row in workbench.rows("documents", "doc_id first_seen")} == seen_first


def test_what_ran_out_of_time_is_tried_again_under_another_limit_and_only_then(
    workbench: Workbench, source: Source, parsed: list[str]
) -> None:
    workbench.collect(source)
    patient = workbench.settings
    workbench.settings = patient.model_copy(update={"parse_timeout_s": 1e-6})
    hurried = workbench.parse(source)
    assert hurried.drops["timeout"] == len(parsed) == 3

    parsed.clear()
    workbench.parse(source)
    assert parsed == []

    workbench.settings = patient
    after = workbench.parse(source)
    assert sorted(parsed) == ["a.md", "b.md", "c.pdf"] and after.counts["parsed"] == 2
    parsed.clear()
    workbench.parse(source)
    assert parsed == []


def _kill_a_parser_at_work() -> None:
    while not any(child.cpu_times().user > 2.0 for child in psutil.Process().children()):
        time.sleep(0.05)
    for child in psutil.Process().children():
        child.kill()


def test_what_was_killed_from_outside_is_tried_again_by_the_next_run(
    workbench: Workbench, tmp_path: Path, parsed: list[str]
) -> None:
    source = workbench.add(write_files(tmp_path / "slow", a_html="<p>A <b>long</b> text.</p>" * 200_000))
    workbench.collect(source)
    killer = threading.Thread(target=_kill_a_parser_at_work)
    killer.start()
    assert workbench.parse(source).drops == {"killed": 1}
    killer.join()

    workbench.settings = workbench.settings.model_copy(update={"parse_timeout_s": 1.0})
    assert workbench.parse(source).drops == {"timeout": 1}
    assert parsed == ["a.html"] * 2


def _partly_scanned_pdf() -> bytes:
    """A cover with a text layer, then a page that is only the picture of one."""
    letters = ImageFont.truetype(str(Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"), 42)
    scan = Image.new("L", (1654, 600), "white")
    ImageDraw.Draw(scan).text((120, 200), "The greenhouse opens at seven in the morning.", "black", letters)
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    canvas.drawString(72, 700, "Rules of the botanical garden, second edition.")
    canvas.showPage()
    canvas.drawInlineImage(scan, 0, 500, width=A4[0], height=A4[0] * 600 / 1654)
    canvas.save()
    return file.getvalue()


@pytest.mark.skipif(which("tesseract") is None, reason="Tesseract is not installed")
def test_scanned_pages_that_were_left_out_are_read_once_tesseract_is_there_and_only_then(
    workbench: Workbench, folder: Path, source: Source, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "rules.pdf").write_bytes(_partly_scanned_pdf())
    workbench.collect(source)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(folder))
        ocr._installed_languages.cache_clear()
        assert workbench.parse(source).counts["parsed"] == 3
        parsed.clear()
        workbench.parse(source)
        assert parsed == []
    ocr._installed_languages.cache_clear()

    for expected in (["rules.pdf"], []):
        parsed.clear()
        workbench.parse(source)
        assert parsed == expected
    rows = workbench.rows("documents", "url text detail")
    text, detail = next((row["text"], row["detail"]) for row in rows if row["url"].endswith("rules.pdf"))
    assert text.startswith("Rules of the botanical garden") and "opens at seven in the morning" in text
    assert detail == ""


def test_another_version_of_the_parsers_parses_everything(
    workbench: Workbench, source: Source, parsed: list[str]
) -> None:
    workbench.collect(source)
    first = workbench.parse(source)
    parsed.clear()
    second = workbench.parse(source, code="code-2")
    assert len(parsed) == 3
    assert second.data_version == first.data_version, "the same texts came out"


def test_what_cannot_be_parsed_is_kept_with_its_reason(workbench: Workbench, source: Source) -> None:
    workbench.collect(source)
    report = workbench.parse(source)
    (row,) = [row for row in workbench.rows("documents", "url state reason detail text") if row["state"] != "parsed"]
    assert row["url"].endswith("c.pdf") and (row["state"], row["reason"], row["text"]) == (
        "quarantined",
        "broken",
        None,
    )
    assert report.drops == {"broken": 1}


def test_a_document_leaves_with_its_page(workbench: Workbench, folder: Path, source: Source) -> None:
    workbench.collect(source)
    workbench.parse(source)
    (folder / "b.md").unlink()
    workbench.collect(source)
    report = workbench.parse(source)
    assert report.counts["orphaned"] == 1
    assert set(workbench.docs(source)) == {"a.md", "c.pdf"}
    assert claims.every_stored_page_has_an_outcome(workbench.lake).holds


def test_a_half_done_parse_is_finished_and_not_begun_again(
    workbench: Workbench, source: Source, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workbench.collect(source)
    monkeypatch.setattr(documents, "_BATCH_ROWS", 1)
    real, stored = documents._DocumentWriter.flush, []

    def flush(self: documents._DocumentWriter) -> None:
        real(self)
        stored.extend(workbench.docs(source))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(documents._DocumentWriter, "flush", flush)
        workbench.parse(source)
    assert not claims.every_stored_page_has_an_outcome(workbench.lake).holds
    parsed.clear()
    workbench.parse(source)
    assert sorted([*stored, *parsed]) == ["a.md", "b.md", "c.pdf"]
    assert claims.every_stored_page_has_an_outcome(workbench.lake).holds
