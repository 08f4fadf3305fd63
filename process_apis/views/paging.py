"""How views read lists: page by page, in the order of keys that never change."""

from typing import Any

import msgspec
from sqlalchemy import Column, Select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database import decode_page, encode_page


class RowPage(msgspec.Struct, frozen=True):
    """Rows, and the cursor of the next page."""

    rows: tuple[Any, ...]
    next_cursor: str | None


async def read_page(
    connection: AsyncConnection,
    query: Select[*tuple[Any, ...]],
    keys: tuple[Column[Any], ...],
    cursor: str | None,
    limit: int,
) -> RowPage:
    """A page of what a query selects, in ascending order of the keys, which must be unique together."""
    if cursor:
        kinds = tuple(key.type.python_type for key in keys)
        query = query.where(tuple_(*keys) > decode_page(cursor, tuple[*kinds]))
    rows = (await connection.execute(query.order_by(*keys).limit(limit + 1))).all()
    last = rows[limit - 1] if len(rows) > limit else None
    values = [getattr(last, key.name) for key in keys] if last is not None else []
    return RowPage(tuple(rows[:limit]), encode_page(*values) if values else None)
