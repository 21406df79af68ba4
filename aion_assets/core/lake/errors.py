"""What LanceDB raises, in AION's words."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from aion_assets.core.errors import AionError, DiskFullError, LakeError
from aion_assets.core.lake.proofs import Proofs

# Lance adds the place in its own source where an error arose. That helps nobody who runs AION.
_RUST_PLACE = re.compile(r"[, (]*/?[\w./@-]+\.rs:\d+(?::\d+)?\)?")

# What a damaged file can do to Lance. It is no Exception, and its class cannot be imported.
_PANIC = "PanicException"


@contextmanager
def clear_errors(name: str, proofs: Proofs | None = None) -> Iterator[None]:
    """Raise any error of LanceDB inside as DiskFullError or LakeError on the table `name`, which then has to be read
    again before it counts as whole.
    """
    try:
        yield
    except AionError:
        raise
    except BaseException as error:
        if not isinstance(error, (OSError, RuntimeError, ValueError)) and type(error).__name__ != _PANIC:
            raise
        if proofs is not None:
            proofs.forget(name)
        text = str(error)
        if getattr(error, "errno", None) == errno.ENOSPC or "No space left" in text or "os error 28" in text:
            raise DiskFullError(
                f"No space is left to write table {name!r}.",
                "Free some space and run again: the last good state is kept.",
            ) from error
        reason = _RUST_PLACE.sub("", text.splitlines()[0])[:300] if text else type(error).__name__
        raise LakeError(
            f"Table {name!r} cannot be used: {reason}.",
            "The last release keeps serving; 'aion doctor' says which tables are sound.",
        ) from error
