from pathlib import Path

import pytest

from aion_assets.core.errors import SettingsError
from aion_assets.core.settings import load_settings


def test_networks_are_read_as_a_list(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AION_ALLOW_PRIVATE_NETWORKS", "127.0.0.0/8, 10.1.2.3")
    assert [str(network) for network in load_settings().allow_private_networks] == ["127.0.0.0/8", "10.1.2.3/32"]


def test_a_bad_value_is_named_with_its_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AION_PORT", "eighty")
    with pytest.raises(SettingsError, match=r"AION_PORT.*'eighty'"):
        load_settings()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_plain_postgresql_url_names_the_driver_that_is_installed(
    home: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user@db/aion")
    assert load_settings().sqlalchemy_url == "postgresql+psycopg2://user@db/aion"


def test_a_level_is_taken_in_any_case_and_refused_when_there_is_none_of_that_name(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")
    assert load_settings().log_level == "WARNING"
    monkeypatch.setenv("AION_LOG_LEVEL", "LOUD")
    with pytest.raises(SettingsError, match=r"AION_LOG_LEVEL has value 'LOUD'.*'DEBUG', 'INFO', 'WARNING' or 'ERROR'"):
        load_settings()


@pytest.mark.parametrize("value", ["foo", "sqlite", "sqlite:/folder/file"])
def test_what_is_no_address_of_a_database_is_told_with_the_other_name_of_the_variable(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(SettingsError, match=r"AION_DATABASE_URL has .*: it must begin.*Mend it, or DATABASE_URL, in"):
        load_settings()


@pytest.mark.parametrize("variable", ["AION_DATABASE_URL", "AION_DAGSTER_DB"])
def test_an_address_of_no_database_is_refused_without_showing_its_password(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "mysql://aion:secret@db/aion")
    with pytest.raises(SettingsError, match=f"{variable}.*must begin with postgresql://") as refused:
        load_settings()
    assert "secret" not in str(refused.value)
