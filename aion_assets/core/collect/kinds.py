"""The kinds of source that are installed.

A kind is one class. Those of this package are always there. An installed package adds its own through the entry point
group `aion.source_kinds` (name = kind, value = class); nothing is changed here.
"""

from functools import cache
from importlib.metadata import entry_points

from aion_assets.core.collect.connector import Connector
from aion_assets.core.collect.folder import FolderConnector
from aion_assets.core.collect.jsonl import JsonlConnector
from aion_assets.core.collect.uploads import UploadsConnector
from aion_assets.core.collect.web.site import WebConnector
from aion_assets.core.errors import SourceError

ENTRY_POINT_GROUP = "aion.source_kinds"
# The order in which they are asked whether they take an address.
_BUILT_IN: tuple[type[Connector], ...] = (WebConnector, UploadsConnector, JsonlConnector, FolderConnector)


@cache
def connectors() -> dict[str, Connector]:
    """All kinds that are installed, by name."""
    found: dict[str, Connector] = {connector.kind: connector() for connector in _BUILT_IN}
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        if entry_point.name not in found:
            found[entry_point.name] = entry_point.load()()
    return found


def connector_of(kind: str) -> Connector:
    """Raises SourceError: no such kind is installed."""
    try:
        return connectors()[kind]
    except KeyError:
        raise SourceError(
            f"There is no source kind {kind!r}.", f"Installed kinds: {', '.join(sorted(connectors()))}."
        ) from None


def kind_of(address: str) -> str:
    """The kind that takes this address.

    Raises SourceError: no kind takes it, or the kind that it is meant for cannot use it.
    """
    for kind, connector in connectors().items():
        if connector.accepts(address):
            return kind
    raise SourceError(
        f"{address!r} is neither a web address, nor a folder, nor a .jsonl file.",
        "Give https://…, an existing folder, or a file that ends in .jsonl.",
    )
