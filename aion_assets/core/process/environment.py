"""What a child process gets of this one's environment: no keys and no passwords."""

import os

_PASSED_ON = (
    "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "SYSTEMROOT", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "TESSDATA_PREFIX", "AION_HOME",
)  # fmt: skip


def bare_environment(**more: str) -> dict[str, str]:
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | more
