"""How projectors write rows: one per key, replaced by what is newer."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def put_row(connection: AsyncConnection, table: Table, row: dict[str, Any]) -> None:
    """Write the row of its primary key, whether or not there was one."""
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in row.items() if name not in keys}
    written = insert(table).values(row).on_conflict_do_update(index_elements=keys, set_=changed)
    await connection.execute(written)
