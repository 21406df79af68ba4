"""AION's own manual as the first source, so that a new installation can answer questions."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from aion_assets.core.database.engine import open_database
from aion_assets.core.errors import SourceError
from aion_assets.core.process.environment import bare_environment
from aion_assets.core.settings import load_settings
from aion_assets.core.sources.store import add_source, any_source_ever, list_sources

NAME = "manual"
_DOCS = Path(__file__).resolve().parents[2] / "docs"
# Beside the manual, under a name that a folder source passes over: the digest of what it was built from.
_STAMP = ".built-from"


def ensure_first_source() -> None:
    """Build the manual into the home and add it when there is no source yet. After an upgrade, build it again.

    A removed manual stays removed.
    """
    settings = load_settings()
    database = open_database(settings)
    folder = settings.home / "manual"
    if not any_source_ever(database, settings):
        _build(folder)
        add_source(database, settings, str(folder), name=NAME, auto_approve=True)
        return
    here = any(Path(state.source.address) == folder for state in list_sources(database, settings))
    stamp = folder / _STAMP
    if here and (not stamp.is_file() or stamp.read_text("utf-8") != _origin()):
        _build(folder)


def _build(folder: Path) -> None:
    """Build into a folder beside it first, so that a broken build leaves the manual as it is."""
    fresh, old = folder.with_name("manual.new"), folder.with_name("manual.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    command = [sys.executable, str(_DOCS / "build_manual.py"), str(fresh)]
    built = subprocess.run(command, env=bare_environment(), capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise SourceError(f"The manual could not be built: {built.stderr.strip()[-300:]}.", "Run 'make setup' again.")
    (fresh / _STAMP).write_text(_origin(), "utf-8")
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _origin() -> str:
    """Digest of the chapters and of the program that builds them."""
    digest = hashlib.sha256()
    chapters = [*_DOCS.glob("[a-z][a-z]/*.md"), *_DOCS.rglob("*.py")]
    for path in sorted(chapters):
        digest.update(path.relative_to(_DOCS).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
