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
