"""LanceDB is imported without a client that nobody calls, and lacks nothing else."""

import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError

from aion_assets.core.lance_import import import_lancedb

_IMPORT = """
import sys
from aion_assets.core.lance_import import import_lancedb
import_lancedb()
sys.exit("lance_namespace_urllib3_client.api" in sys.modules)
"""


def test_the_client_of_a_remote_catalogue_stays_out() -> None:
    assert subprocess.run([sys.executable, "-c", _IMPORT], check=False).returncode == 0


def test_types_of_a_catalogue_still_check_what_they_are_given() -> None:
    import_lancedb()
    from lance_namespace import ListTablesRequest

    assert ListTablesRequest(limit=3).limit == 3
    with pytest.raises(ValidationError):
        ListTablesRequest(limit="many")


def test_types_made_afterwards_have_their_validators_at_once() -> None:
    import_lancedb()

    class Made(BaseModel):
        number: int

    assert Made.__pydantic_complete__
