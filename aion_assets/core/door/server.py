"""Run an ASGI application behind connections of bounded cost."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import uvicorn

_LARGEST_MESSAGE_BYTES = 1_000_000
# Longer than the minute that proxies and clients keep a connection: whoever closes first breaks a request that the
# other one is just sending. Where connections run out, those that wait are ended earlier.
_IDLE_S = 75


def bounded(app: Any, **options: Any) -> "uvicorn.Config":
    """Uvicorn's configuration with `options`, and the limits of `connections`."""
    import uvicorn

    from aion_assets.core.door.connections import BoundedProtocol

    limits = BoundedProtocol.limits.that_fit()
    protocol = type("Protocol", (BoundedProtocol,), {"limits": limits})
    return uvicorn.Config(
        app,
        **{
            "http": protocol,
            "h11_max_incomplete_event_size": limits.header_bytes,
            "ws_max_size": _LARGEST_MESSAGE_BYTES,
            "timeout_keep_alive": _IDLE_S,
            "server_header": False,
            "access_log": False,  # request addresses hold search texts
            **options,
        },
    )


def serve(app: Any, **options: Any) -> None:
    """Until SIGINT or SIGTERM."""
    import uvicorn

    uvicorn.Server(bounded(app, **options)).run()
