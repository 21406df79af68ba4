"""LanceDB is imported without a client that nobody calls, and lacks nothing else.

Each test has a process of its own, as others here may have imported LanceDB already.
"""

import subprocess
import sys

_IMPORT = "import sys; from aion_assets.core.lake.lance import import_lancedb; import_lancedb()\n"
_CHECKED = """
from pydantic import ValidationError
from lance_namespace import ListTablesRequest
assert ListTablesRequest(limit=3).limit == 3
try:
    ListTablesRequest(limit="many")
except ValidationError:
    sys.exit(0)
sys.exit("what is no number was taken")
"""
_MADE_AFTERWARDS = """
from pydantic import BaseModel
class Made(BaseModel):
    number: int
assert Made.__pydantic_complete__
"""
_TWO_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from aion_assets.core.lake.lance import import_lancedb
with ThreadPoolExecutor(2) as threads:
    assert len(set(threads.map(lambda _: import_lancedb().__name__, range(2)))) == 1
"""


def _run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_client_of_a_remote_catalogue_stays_out() -> None:
    _run(_IMPORT + "assert 'lance_namespace_urllib3_client.api' not in sys.modules")


def test_types_of_a_catalogue_still_check_what_they_are_given() -> None:
    _run(_IMPORT + _CHECKED)


def test_types_made_afterwards_have_their_validators_at_once() -> None:
    _run(_IMPORT + _MADE_AFTERWARDS)


def test_two_threads_may_be_the_first() -> None:
    _run(_TWO_THREADS + _MADE_AFTERWARDS)
