"""How the Lance tables of an older AION get the columns of this one."""

from collections.abc import Iterable

import pyarrow as pa

from aion_assets.core.errors import LakeError


def missing_columns(name: str, stored: pa.Schema, wanted: pa.Schema) -> pa.Schema | None:
    """The columns to add to the table; None when it has them all.

    Raises LakeError: the table has columns that this AION does not know, or lacks one that is not nullable.
    """
    unknown = [column for column in stored.names if column not in wanted.names]
    if unknown:
        raise LakeError(
            f"Table {name} has columns that this version of AION does not know: {_listed(unknown)}.",
            "Install the AION that wrote it, or a newer one.",
        )
    missing = [field for field in wanted if field.name not in stored.names]
    required = [field.name for field in missing if not field.nullable]
    if required:
        raise LakeError(
            f"Table {name} lacks {_listed(required)}, which its rows need.",
            "It was not written by AION, or is broken; 'aion doctor' examines the others.",
        )
    return pa.schema(missing) if missing else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
