"""What a child process gets of this one's environment: no key and no password that it has no use for."""

import os
import re

_PASSED_ON = (
    "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "SYSTEMROOT", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "TESSDATA_PREFIX", "AION_HOME",
)  # fmt: skip
# By the last words of their names, whoever's they are.
_SECRET = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|_URL|_URI|_DSN|_DB)$", re.IGNORECASE)
_HARMLESS = frozenset({"AION_LAKE_URI", "AION_LOCAL_LLM_URL"})  # addresses in which no password stands

# What may be named as needed; what ends in an underscore stands for all names that begin so.
DATABASE = ("AION_DATABASE_URL", "DATABASE_URL", "PGPASSWORD")
DAGSTER = ("AION_DAGSTER_DB", "PGPASSWORD")
WRITER = ("AION_LOCAL_LLM_KEY", "AION_WORKER_TOKEN")
WORKER = ("AION_WORKER_TOKEN",)
HUB = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
LAKE = ("AWS_", "AZURE_", "GOOGLE_")


def bare_environment(**more: str) -> dict[str, str]:
    """For a process that works on what strangers sent."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | more


def spared_environment(*needed: str, **more: str) -> dict[str, str]:
    """For a process of AION's own: all but the secrets, of which it gets those that it needs."""
    begins = tuple(name for name in needed if name.endswith("_"))
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in needed or name.startswith(begins) or not _is_secret(name)
    }
    return kept | more


def _is_secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and name not in _HARMLESS
