from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aion_assets.core.errors import SettingsError
from aion_assets.core.language.times import iso_time, shown_time
from aion_assets.core.settings import load_settings

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def test_times_are_shown_where_the_organisation_is_with_the_zone() -> None:
    assert shown_time(NOON, ZoneInfo("America/Sao_Paulo")) == "2026-11-28 09:00 -03"
    assert iso_time(NOON, ZoneInfo("America/Sao_Paulo")) == "2026-11-28T09:00:00-03:00"
    assert (shown_time(None, ZoneInfo("UTC")), iso_time(None, ZoneInfo("UTC"))) == ("never", None)


def test_the_zone_is_that_of_the_setting_or_else_of_the_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Lisbon")
    assert load_settings().zone.key == "Europe/Lisbon"
    monkeypatch.setenv("AION_TIMEZONE", "America/Manaus")
    assert load_settings().zone.key == "America/Manaus"


@pytest.mark.parametrize("value", ["Mars/Olympus", "../etc/passwd", "America"])
def test_a_zone_that_does_not_exist_is_named_with_what_to_write(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("AION_TIMEZONE", value)
    with pytest.raises(SettingsError, match=r"AION_TIMEZONE.*America/Sao_Paulo"):
        load_settings()
