"""Whether the home can be written to, found out before anything begins there."""

import os
import tempfile

from aion_assets.core.errors import SettingsError, disk_trouble
from aion_assets.core.settings import Settings

# With less room than this nothing can be stored.
_ENOUGH_BYTES = 256_000


def require_writable(settings: Settings) -> None:
    """Write a little to the home, durably, and take it away again.

    Raises DiskFullError: no space is left. SettingsError: the home cannot be made, or its disk is read-only.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home) as probe:
            probe.write(bytes(_ENOUGH_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        what = f"AION_HOME has value '{settings.home}', which cannot be written to"
        raise disk_trouble(error, what) or SettingsError(f"{what}: {error.strerror}.") from error
