"""Roll back to a whole earlier release, or to earlier models over the current content."""

from aion_assets.core.errors import ReleaseError
from aion_assets.core.home import Home
from aion_assets.core.lake.locks import INDEX_LOCK
from aion_assets.core.release.releases import (
    ROLLED_BACK,
    Publication,
    Release,
    current_release,
    list_releases,
    publish,
    read_release,
    switch,
)


def roll_back(home: Home, release_id: str, by: str) -> Release:
    """Let an earlier release serve again, with its content and its models.

    Raises ReleaseError: its index version was deleted, or this AION cannot read it.
    """
    release = read_release(home.database, release_id)
    with home.lake.lock(INDEX_LOCK):  # so that it is not retired meanwhile
        if not home.lake.has_tag(release.table, release.tag):
            raise ReleaseError(
                f"The index of release {release_id[:12]} is not kept any more.",
                "'aion release list' says which can serve; its models can: 'aion release rollback --models'.",
            )
        with home.database.write() as connection:
            switch(connection, home.tenant_id, release_id, ROLLED_BACK, by)
    return release


def roll_back_models(home: Home, model_release_id: str, by: str) -> Release:
    """Let earlier models serve again over the current content.

    Where they embed passages differently, the newest index that was released with them serves. Raises ReleaseError: no
    such index is kept.
    """
    rows = list_releases(home.database, home.tenant_id)
    with home.lake.lock(INDEX_LOCK):
        current = current_release(home.database, home.tenant_id)
        kept = [
            row
            for row in rows
            if row.model_release_id == model_release_id and home.lake.has_tag(row.index_table, row.tag)
        ]
        if not kept:
            raise ReleaseError(
                f"No index of model release {model_release_id[:12]} is kept any more.",
                "'aion release list' says which can serve.",
            )
        newest = read_release(home.database, kept[0].release_id)
        if newest.table != current.table or newest.serves_the_same_as(current.index, newest.models):
            return roll_back(home, newest.release_id, by)
        return publish(home, current.index, newest.models, Publication(by, action=ROLLED_BACK))


def release_before(home: Home) -> str:
    """The newest release that is older than the current one. Raises ReleaseError: there is none."""
    current = current_release(home.database, home.tenant_id)
    order = [row.release_id for row in list_releases(home.database, home.tenant_id)]
    older = order[order.index(current.release_id) + 1 :]
    if not older:
        raise ReleaseError("There is no release of before.", "'aion release list' shows them all.")
    return older[0]


def models_before(home: Home) -> str:
    """The newest models that are older than the current ones: by their first release. Raises ReleaseError: there are
    none.
    """
    current = current_release(home.database, home.tenant_id)
    by_first = [row.model_release_id for row in reversed(list_releases(home.database, home.tenant_id))]
    order = list(dict.fromkeys(by_first))  # the oldest first
    older = order[: order.index(current.model_release_id)]
    if not older:
        raise ReleaseError("There are no models of before.", "'aion release list' shows them all.")
    return older[-1]
