"""The manual comes by itself, follows an upgrade, and stays away once it was removed."""

from pathlib import Path

import pytest

from aion_assets.core.database.engine import open_database
from aion_assets.core.settings import load_settings
from aion_assets.core.sources.store import list_sources, remove_source
from aion_assets.local import first_source
from aion_assets.local.first_source import NAME, ensure_first_source


def test_the_manual_is_built_once_anew_after_an_upgrade_and_never_after_its_removal(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure_first_source()
    settings = load_settings()
    database = open_database(settings)
    (state,) = list_sources(database, settings)
    assert (state.source.source_id, state.source.auto_approve) == (NAME, True)
    manual = settings.home / "manual"
    chapters = {path.relative_to(manual) for path in manual.rglob("*") if path.is_file()}
    assert len(chapters) > 30

    one = next(path for path in sorted(manual.rglob("*")) if path.suffix == ".md")
    built = one.stat().st_mtime_ns
    ensure_first_source()
    assert one.stat().st_mtime_ns == built

    (manual / "pt" / "00-chapter-of-the-last-version.md").write_text("# Old\n", "utf-8")
    monkeypatch.setattr(first_source, "_origin", lambda: "another version")
    ensure_first_source()
    assert one.stat().st_mtime_ns > built
    assert {path.relative_to(manual) for path in manual.rglob("*") if path.is_file()} == chapters

    remove_source(database, NAME)
    monkeypatch.setattr(first_source, "_origin", lambda: "yet another")
    ensure_first_source()
    assert list_sources(database, settings) == []
    assert (manual / first_source._STAMP).read_text("utf-8") == "another version"
    database.engine.dispose()
