"""What the catalog shows of a Lance table: name, place, columns and their meaning."""

from typing import Any

import dagster as dg

from aion_assets.core.lake.tables import MEANINGS, LakeTable, kind_of


def table_definition(table: LakeTable) -> dict[str, Any]:
    """Definition metadata. Raises KeyError: a column has no meaning in `core.lake.tables`."""
    columns = [
        dg.TableColumn(
            field.name,
            str(field.type),
            description=MEANINGS[field.name],
            constraints=dg.TableColumnConstraints(nullable=field.nullable),
        )
        for field in table.schema
    ]
    return {"dagster/column_schema": dg.TableSchema(columns), "dagster/table_name": f"lake.{kind_of(table.name)}"}
