import subprocess
import sys

_HEAVY = ("dagster", "sqlalchemy", "alembic", "pyarrow", "numpy", "lancedb", "httpx")
_LOADED = f"""
import sys
import aion_assets.local.supervisor
from aion_assets.core.settings import load_settings
load_settings()
print(*(name for name in {_HEAVY} if name in sys.modules))
"""


def test_the_supervisor_loads_nothing_of_what_it_watches_over() -> None:
    told = subprocess.run([sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True)
    assert told.stdout.split() == []
