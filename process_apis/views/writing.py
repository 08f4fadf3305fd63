"""How projectors write rows: one per key, replaced by what is newer."""

from typing import Any

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def put_row(
    connection: AsyncConnection,
    table: Table,
    row: dict[str, Any],
    replaces: ColumnElement[bool] | None = None,
) -> None:
    """Write the row of its primary key; where there was one, if that is one which it `replaces`."""
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys}
    written = (
        insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=changed, where=replaces)
    )
    await connection.execute(written)
