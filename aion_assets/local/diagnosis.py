"""Examine an installation part by part. Every part is examined even when another is broken."""

import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aion_assets.core.errors import AionError, NoReleaseError, SettingsError
from aion_assets.core.fetch.named_hosts import complaint_of_hosts
from aion_assets.core.lake.tables import BODIES, CHUNKS, CURATED_DOCUMENTS, DOCUMENTS, PAGES
from aion_assets.core.settings import Settings, load_settings
from aion_assets.local.finding import Finding
from aion_assets.local.model_diagnosis import examine_model
from aion_assets.local.writable import require_writable

if TYPE_CHECKING:
    from aion_assets.core.lake.store import Lake

_LOW_DISK_BYTES = 2_000_000_000
_TABLES = (PAGES.name, BODIES.name, DOCUMENTS.name, CURATED_DOCUMENTS.name, CHUNKS.name)


def examine() -> list[Finding]:
    """With unusable settings nothing else can be examined: they are then the only finding."""
    try:
        settings = load_settings()
    except SettingsError as error:
        return [Finding("settings", "broken", str(error))]
    parts: dict[str, Callable[[Settings], Finding]] = {
        "python": _python,
        "home": _home,
        "database": _database,
        "tables": _tables,
        "embedder": _embedder,
        "release": _release,
        "model": examine_model,
        "adapters": _adapters,
        "ocr": _ocr,
        "dagster": _dagster,
    }
    findings = []
    for name, examine_part in parts.items():
        try:
            findings.append(examine_part(settings))
        except AionError as error:
            findings.append(Finding(name, "broken", str(error)))
        except Exception as error:  # any error of a part is a finding
            findings.append(Finding(name, "broken", f"{type(error).__name__}: {error}"))
    return findings


def _python(_settings: Settings) -> Finding:
    return Finding("python", "good", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _home(settings: Settings) -> Finding:
    require_writable(settings)
    if wrong := complaint_of_hosts(settings.home):
        return Finding("home", "broken", wrong)
    free = shutil.disk_usage(settings.home).free
    detail = f"{settings.home}, {free / 1e9:.1f} GB free"
    return Finding("home", "good" if free > _LOW_DISK_BYTES else "broken", detail)


def _database(settings: Settings) -> Finding:
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.database.integrity import complaint
    from aion_assets.core.database.upgrade import HEAD

    database = open_database(settings)
    if wrong := complaint(database):
        cannot_write = "disk is full" in wrong or "readonly" in wrong
        remedy = "The disk is full or read-only." if cannot_write else "Stop AION and restore a backup."
        return Finding("database", "broken", f"{wrong}. {remedy}")
    return Finding("database", "good", f"{database.engine.dialect.name}, schema {HEAD}")


def _tables(settings: Settings) -> Finding:
    """Reads every row of every table whole: what is damaged shows nowhere else."""
    from aion_assets.core.index.soundness import complaint_of
    from aion_assets.core.lake.store import Lake

    lake = Lake(settings.lake_uri)
    counts, broken = [], []
    for table in (*_TABLES, *_derived(lake)):
        try:
            rows, wrong = complaint_of(lake, table)
            counts.append(f"{table} {rows}")
            broken += [wrong] if wrong else []
        except AionError as error:
            broken.append(str(error))
    if broken:
        return Finding("tables", "broken", f"{' '.join(broken)} 'aion run' makes indexes and vectors anew.")
    return Finding("tables", "good", ", ".join(counts))


def _derived(lake: "Lake") -> list[str]:
    """The tables that are not in every home: vectors and indexes, one for each embedder, and what was learned from."""
    return [name for name in lake.names() if name not in _TABLES]


def _adapters(settings: Settings) -> Finding:
    """Of the generator, here; each is opened and compared with its record."""
    from trainer.adapters import RECORD, complaint_of

    root = Path(settings.adapter_dir) if settings.adapter_dir else settings.home / "adapters"
    folders = sorted(folder for folder in (root, *root.glob("*")) if folder.is_dir() and any(folder.glob("adapter_*")))
    wrong = [said for folder in folders if (said := complaint_of(folder))]
    if wrong:
        return Finding("adapters", "broken", " ".join([*wrong, f"Bring it back to {root}, or train it again."]))
    return Finding("adapters", "good", f"{len(folders)} in {root}" if folders else f"none, as no {RECORD} is there")


def _embedder(settings: Settings) -> Finding:
    from aion_assets.core.index.embedding_model import default_is_missing, find_embedding_model

    model = find_embedding_model(settings.embed_model, settings.home)
    missing = default_is_missing(settings.embed_model)
    if missing:
        return Finding("embedder", "missing", missing)
    return Finding("embedder", "good", f"{model.embedder_id}, {model.dimension} dimensions, {model.max_tokens} tokens")


def _release(settings: Settings) -> Finding:
    from aion_assets.core.home import Home
    from aion_assets.core.release.encoders import encoders_of
    from aion_assets.core.release.models import is_readable
    from aion_assets.core.release.releases import current_release
    from aion_assets.core.steps.claims import smoke_query_finds_itself

    home = Home(settings)
    try:
        release = current_release(home.database, home.tenant_id)
    except NoReleaseError as error:
        return Finding("release", "missing", str(error))
    if not is_readable(release.models):
        return Finding("release", "broken", f"The models of {release.release_id[:12]} cannot be read. Run 'aion run'.")
    encoders_of(home, release.models)  # reads the files of both, and compares them with what the release names
    with home.lake.reading(release.table):
        table = home.lake.table_at(release.table, release.tag)
        found = smoke_query_finds_itself(table)
        table.search("a", query_type="fts").limit(1).to_list()
        chunks = table.count_rows()
    state = "good" if found.holds else "broken"
    return Finding("release", state, f"{release.release_id[:12]}, {chunks} chunks. {found.says}")


def _ocr(_settings: Settings) -> Finding:
    import subprocess

    if shutil.which("tesseract") is None:
        return Finding("ocr", "missing", "Tesseract is not installed: images and scanned pages are quarantined.")
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=False).stdout.split()
    lacking = [language for language in ("por", "eng") if language not in listed]
    if lacking:
        return Finding("ocr", "missing", f"Tesseract lacks {', '.join(lacking)}: install tesseract-ocr-{lacking[0]}.")
    return Finding("ocr", "good", "Tesseract with por and eng")


def _dagster(settings: Settings) -> Finding:
    from importlib.metadata import version

    from aion_assets.core.database.integrity import file_complaint

    if settings.dagster_db:
        return Finding("dagster", "good", f"{version('dagster')}, PostgreSQL")
    files = sorted((settings.home / "dagster").rglob("*.db"))
    if files:
        require_writable(settings)  # otherwise none of them can be opened, damaged or not
    wrong = [said for file in files if (said := file_complaint(file))]
    if wrong:
        return Finding("dagster", "broken", f"{'; '.join(wrong)}. Stop AION and remove the file: runs are forgotten.")
    return Finding("dagster", "good", f"{version('dagster')}, SQLite in the home")
