"""Documents and names of strangers: shown, never obeyed; read in bounded time, and by processes that know no secret."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import counts
import pytest
from loopback import CountingSite, counting_site, page
from workbench import Workbench, write_files

from aion_assets.core.fetch.media import charset_name
from aion_assets.core.language.terminal import Terminal, harmless
from aion_assets.core.parse.charset import decode
from aion_assets.core.parse.sandbox.pool import ParseJob, parse_all
from aion_assets.core.settings import Settings

_ESCAPES = ("\x1b[2J", "\x1b]0;owned\x07", "\x1b[31mred", "\x9b2J", "\x9d0;owned\x9c", "\x1bP1$r", "\x08\x08\x08",
            "\x7f", "\u202egpj.exe", "\u2066x\u2069", "\r\x1b[K")  # fmt: skip
_COMMAND = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("escape", _ESCAPES)
def test_an_escape_sequence_never_reaches_a_terminal(escape: str, settings: Settings, tmp_path: Path) -> None:
    written = io.StringIO()
    terminal = Terminal(file=written, force_terminal=True, color_system="truecolor", highlight=False)
    terminal.print(f"[bold]a{escape}b[/]", markup=True)
    own = re.sub("\x1b\\[[0-9;]*m", "", written.getvalue(), count=2)
    assert not _COMMAND.search(own.replace("\n", "")), repr(own)
    assert "\x1b" in written.getvalue(), "its own colours are written"
    assert json.loads(harmless(json.dumps({"a": f"x{escape}"}, ensure_ascii=False)))
    counts.note("escape sequences on a terminal", 1)


def test_the_verbs_print_no_escape_sequence_of_a_source(settings: Settings, tmp_path: Path) -> None:
    bench = Workbench(settings)
    files = write_files(tmp_path / "files")
    name = "a\x1b]0;owned\x07\x9b2J.txt"
    (files / name).write_text("\x1b[2J Tea \x9b2J is served at four.", "utf-8")
    source = bench.add(files, name="t\x1b[31mea")
    bench.run(source)
    bench.database.engine.dispose()
    environment = os.environ | {"AION_HOME": str(settings.home), "FORCE_COLOR": "1", "COLUMNS": "100"}
    for verb in (["source", "list"], ["source", "show", source.source_id], ["curate", "list"], ["search", "tea"],
                 ["ask", "When is tea served?"], ["ask", "When is tea served?", "--json"]):  # fmt: skip
        command = [sys.executable, "-m", "aion_assets", *verb]
        done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
        said = (done.stdout + done.stderr).decode()
        own = re.sub("\x1b\\[[0-9;]*m|\x1b]8;[^\x1b]*\x1b\\\\", "", said)
        assert not _COMMAND.search(own.replace("\n", "")), (verb, own)
        counts.note("escape sequences on a terminal", 1)


@pytest.mark.parametrize("name", "unicode_escape raw_unicode_escape unicode-escape idna punycode utf-7 utf7 U7 "
                                 "undefined hex base64 rot13 zlib bz2 uu quopri charmap x".split())  # fmt: skip
def test_what_is_no_charset_is_not_taken_for_one(name: str) -> None:
    assert charset_name(name) == ""
    assert decode(b"caf\xe9 \\u0061 +ADw-b+AD4-", name) == "caf\u00e9 \\u0061 +ADw-b+AD4-"
    counts.note("names that are no charset", 1)


def circular_docx() -> bytes:
    import docx
    from docx.oxml.ns import qn

    document = docx.Document()
    first, second = (document.styles.add_style(name, 1) for name in ("First", "Second"))
    first.base_style, second.base_style = second, first
    own = document.styles.add_style("Own", 1)
    own.base_style = document.styles["Normal"]
    own.element.find(qn("w:basedOn")).set(qn("w:val"), own.style_id)
    for style in (first, second, own):
        document.add_paragraph("Tea is served at four.", style=style)
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()


def test_a_document_whose_styles_go_in_a_circle_is_read(settings: Settings) -> None:
    job = ParseJob("k", circular_docx(), "file:///a.docx", "", "a.docx")
    (outcome,) = parse_all([job], settings=settings.model_copy(update={"parse_timeout_s": 30.0}))
    assert outcome.document is not None, outcome.detail
    assert outcome.document.text.count("Tea is served at four.") == 3
    counts.note("documents that go in a circle", 1)


@pytest.fixture
def site() -> Iterator[CountingSite]:
    with counting_site() as made:
        yield made


def test_the_processes_that_read_foreign_pages_know_no_secret(
    settings: Settings, site: CountingSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"OPENAI_API_KEY": "sk-1", "AION_DATABASE_URL": "", "GROQ_API_KEY": "g-1", "AWS_SECRET_ACCESS_KEY": "a-1",
               "HTTP_PROXY": "http://127.0.0.1:9", "LD_LIBRARY_PATH_OF_MINE": "x"}  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    seen = tmp_path / "seen"
    (tmp_path / "sitecustomize.py").write_text(
        f"import os\nopen({str(seen)!r} + str(os.getpid()), 'w').write(repr(dict(os.environ)))\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).resolve().parents[2]}")
    site.pages["/"] = page("Start", "Start.")
    bench = Workbench(settings.model_copy(update={"crawl_delay_s": 0.0}))
    bench.collect(bench.add(f"{site.root}/"))
    bench.database.engine.dispose()
    (found,) = [path.read_text() for path in tmp_path.glob("seen*")]
    assert not [name for name in secrets if name in found]
