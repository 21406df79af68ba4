"""What `aion up` does before it starts anything: the databases are made or brought up to date, and the manual is there.

    python -m aion_assets.local.preparation

A process of its own, so that the supervisor, which only watches others, keeps none of what this loads.
"""

import sys

# Exit status: nothing was released yet.
EMPTY = 3


def prepare() -> None:
    from aion_assets.core.database.engine import open_database
    from aion_assets.core.release import releases
    from aion_assets.core.settings import load_settings
    from aion_assets.local.first_source import ensure_first_source
    from aion_assets.local.foreground import dagster_instance

    settings = load_settings()
    ensure_first_source()
    if releases.current_release_id(open_database(settings), settings.tenant_id) is None:
        sys.exit(EMPTY)
    with dagster_instance():  # one process makes Dagster's databases before several open them
        pass


if __name__ == "__main__":
    from aion_assets.cli import tell_errors

    tell_errors(prepare)
