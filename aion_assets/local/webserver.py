"""Dagster's user interface behind AION's guard.

    python -m aion_assets.local.webserver --workspace FILE --host ADDRESS --port NUMBER

In place of the command `dagster-webserver`, which would serve the same application without a guard and without limits.
"""

import argparse
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette

# The defaults of `dagster-webserver`.
_STATEMENT_TIMEOUT_MS = 15_000
_POOL_RECYCLE_S = 3_600
_POOL_OVERFLOW = 20
_LIVE_DATA_MS = 2_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()

    import dagster as dg
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context
    from dagster_webserver.version import __version__

    from aion_assets.core.door.names import Names
    from aion_assets.core.door.server import serve
    from aion_assets.local.ui_guard import UiGuard

    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(_STATEMENT_TIMEOUT_MS, _POOL_RECYCLE_S, _POOL_OVERFLOW)
        target = WorkspaceFileTarget([arguments.workspace])
        with WorkspaceProcessContext(instance, target, version=__version__, code_server_log_level="warning") as context:
            app = create_app_from_workspace_process_context(context, "", _LIVE_DATA_MS, lifespan=_lifespan)
            serve(
                UiGuard(app, Names(arguments.host)),
                host=arguments.host,
                port=arguments.port,
                log_level="warning",
                timeout_graceful_shutdown=3,  # pages keep their WebSocket open
            )


@contextlib.asynccontextmanager
async def _lifespan(_app: Starlette) -> AsyncIterator[None]:
    yield


if __name__ == "__main__":
    main()
