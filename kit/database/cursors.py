"""kit/database: how far a reader of a vendor's changes came, and how to go on reading a list."""

import base64
import datetime as dt
from collections.abc import Collection
from typing import Any, TypeVar, cast

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import unusable_cursor
from kit.database.tables import cursors

T = TypeVar("T", bound=tuple[Any, ...])


async def get_cursor(connection: AsyncConnection, name: str) -> str | None:
    """The value stored under a name; None when there is none."""
    return (await connection.execute(select(cursors.c.value).where(cursors.c.name == name))).scalar()


async def get_cursors(connection: AsyncConnection, names: Collection[str]) -> dict[str, str]:
    """The values under those of some names that have one."""
    rows = await connection.execute(select(cursors.c.name, cursors.c.value).where(cursors.c.name.in_(names)))
    return {row.name: row.value for row in rows}


async def set_cursor(connection: AsyncConnection, name: str, value: str) -> None:
    """Store a value under a name, in the transaction of the work that it stands for."""
    row = insert(cursors).values(name=name, value=value)
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["name"],
            set_={"value": row.excluded.value, "updated_at": row.excluded.updated_at},
        )
    )


async def drop_cursor(connection: AsyncConnection, name: str) -> None:
    """Delete the value under a name."""
    await connection.execute(cursors.delete().where(cursors.c.name == name))


def encode_page(*place: str | int | dt.datetime) -> str:
    """An opaque cursor for the place after which a list continues."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def decode_page(cursor: str, kind: type[T]) -> T:
    """The place that a cursor of ours names; raises Invalid for any other text."""
    try:
        place = msgspec.json.decode(base64.urlsafe_b64decode(cursor.encode()), type=kind)
        return cast("T", tuple(_storable(part) for part in place))
    except (ValueError, OverflowError, msgspec.MsgspecError):
        raise unusable_cursor("is not a cursor of this list") from None


def _storable(part: Any) -> Any:
    """A part of a place as our lists have it: in UTC, and without what no store takes."""
    if isinstance(part, dt.datetime):
        return part.astimezone(dt.UTC)
    if isinstance(part, str) and "\0" in part:
        raise ValueError("NUL is in no place")
    return part
