"""kit: names that count once for all processes together: a used assertion, a code to be redeemed."""

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from kit import clock
from kit.database import Database
from kit.database.tables import once


class OneTimeValue(msgspec.Struct, frozen=True):
    """A value stored under a name, since when, and by whom it was used (empty: not used)."""

    content: dict[str, Any]
    stored_at: dt.datetime
    used_by: str


async def store(
    database: Database, name: str, *, seconds: float, content: dict[str, Any] | None = None
) -> bool:
    """Store a value under a name for so many seconds; False when the name is taken."""
    now = clock.now()
    row = {
        "name": name,
        "content": content or {},
        "stored_at": now,
        "until": now + dt.timedelta(seconds=seconds),
    }
    async with database.begin() as connection:
        await connection.execute(delete(once).where(once.c.until <= now))
        taken = insert(once).values(row).on_conflict_do_nothing().returning(once.c.name)
        return (await connection.execute(taken)).scalar() is not None


async def find(database: Database, name: str) -> OneTimeValue | None:
    """The value stored under a name; None when there is none, or it has expired."""
    wanted = select(once).where(once.c.name == name, once.c.until > clock.now())
    async with database.connect() as connection:
        stored = (await connection.execute(wanted)).one_or_none()
    return OneTimeValue(stored.content, stored.stored_at, stored.used_by) if stored is not None else None


async def spend(database: Database, name: str, by: str) -> bool:
    """Use the value stored under a name; False when it was used before, or has expired."""
    mine = (once.c.name == name) & (once.c.used_by == "") & (once.c.until > clock.now())
    async with database.begin() as connection:
        return (await connection.execute(update(once).where(mine).values(used_by=by))).rowcount == 1
