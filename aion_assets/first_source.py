"""AION's own manual as the first source, so that a new installation has something to answer from."""

import subprocess
import sys
from pathlib import Path

from aion_assets.core import sources
from aion_assets.core.database import open_database
from aion_assets.core.errors import SourceError
from aion_assets.core.settings import load_settings

NAME = "manual"
_BUILDER = Path(__file__).resolve().parents[1] / "docs" / "build_manual.py"


def ensure_first_source() -> None:
    """Build the manual into the home and add it when there is no source yet. A removed manual stays removed."""
    settings = load_settings()
    database = open_database(settings)
    if sources.any_source_ever(database, settings):
        return
    folder = settings.home / "manual"
    built = subprocess.run([sys.executable, str(_BUILDER), str(folder)], capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise SourceError(f"The manual could not be built: {built.stderr.strip()[-300:]}.", "Run 'make setup' again.")
    sources.add_source(database, settings, str(folder), name=NAME, auto_approve=True)
