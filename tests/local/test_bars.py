from io import StringIO

import pytest
from rich.console import Console

from aion_assets.local import bars
from aion_assets.local.bars import progress_bars

_ADDRESS = "https://example.org/a/path/that/is/longer/than/any/terminal/is/wide/and/ends/in/page-[7].html"


def test_a_bar_and_what_is_done_fit_into_80_columns() -> None:
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=80, color_system=None, legacy_windows=False)
    with progress_bars(console) as draw:
        draw("crawled_pages", 123_456, 9_876_543, _ADDRESS)
    line = next(line for line in written.getvalue().splitlines() if "page-[7].html" in line)
    assert "crawled_pages" in line and "123456/9876543" in line


def test_without_a_terminal_a_long_run_writes_a_plain_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(bars.time, "monotonic", lambda: clock[0])
    written = StringIO()
    with progress_bars(Console(file=written, width=80)) as draw:
        for second in range(70):
            clock[0] = float(second)
            draw("crawled_pages", second, 0 if second < 40 else 500, _ADDRESS)
    assert written.getvalue() == "  crawled_pages: 30 of unknown\n  crawled_pages: 60 of 500\n"
