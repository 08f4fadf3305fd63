"""kit/inbox: stores events of other systems once, in order per business key."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database import Database
from kit.database.locks import number_of
from kit.database.tables import inbox


class InboxRow(msgspec.Struct, frozen=True):
    """One thing that happened elsewhere; `data` is the event's Struct as plain data."""

    seq: int
    source: str
    id: str
    type: str
    key: str
    data: dict[str, Any]
    occurred_at: dt.datetime
    correlation_id: str
    attempts: int = 0


async def receive(
    where: AsyncConnection | Database,
    *,
    source: str,
    id: str,
    type: str,
    key: str,
    data: msgspec.Struct | dict[str, Any],
    occurred_at: dt.datetime,
    correlation_id: str,
) -> bool:
    """Store an event; False when this source reported it before.

    Within the caller's transaction when given a connection. The worker takes it from there: events of one
    `key` in the order in which they were received, events of different keys side by side.
    """
    if isinstance(where, Database):
        async with where.begin() as connection:
            return await receive(
                connection,
                source=source,
                id=id,
                type=type,
                key=key,
                data=data,
                occurred_at=occurred_at,
                correlation_id=correlation_id,
            )
    # The number must follow the order of commits within a key, so one writer per key until the commit.
    await where.execute(select(func.pg_advisory_xact_lock(number_of(f"inbox:{key}"))))
    row = insert(inbox).values(
        source=source,
        id=id,
        type=type,
        key=key,
        data=msgspec.to_builtins(data, str_keys=True),
        occurred_at=occurred_at,
        correlation_id=correlation_id,
    )
    inserted = await where.execute(row.on_conflict_do_nothing().returning(inbox.c.seq))
    return inserted.scalar() is not None


async def release_undelivered(conn: AsyncConnection, seq: int, *, again: bool) -> None:
    """Release an event that an older release parked before its delivery."""
    free = update(inbox).where(inbox.c.seq == seq, inbox.c.status == "parked")
    now = func.clock_timestamp()
    await conn.execute(
        free.values(status="new", attempts=0, next_at=now)
        if again
        else free.values(status="skipped", handled_at=now)
    )
