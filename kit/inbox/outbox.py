"""kit/inbox: the outbox: events written in the transaction of what they report, read in order by a cursor."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

from collections.abc import AsyncIterator, Collection
from typing import Any

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.envelope import Event, Events
from kit import clock
from kit.context import new_id
from kit.database import decode_page, encode_page
from kit.database.locks import number_of
from kit.database.rows import own
from kit.database.tables import event_positions, event_sequences, events
from kit.inbox.receiving import InboxRow, receive

SOURCE = "/enfilade"
_PAGE = 500


async def publish(
    conn: AsyncConnection,
    *,
    type: str,
    subject: str,
    key: str,
    data: msgspec.Struct | dict[str, Any],
    correlation_id: str,
    id: str = "",
    run_id: str = "",
    deliver: bool = False,
) -> str | None:
    """Write an event of the business object `key`; its id, or None when that id was written before.

    `run_id` is the run that it reports on: a caller that may see the run may see the event. With `deliver`
    our own subscribers get it too, through the inbox.
    """
    identity = id or new_id("evt")
    if id and (await conn.execute(select(events.c.id).where(events.c.id == id))).scalar():
        return None
    count = insert(event_sequences).values(partitionkey=key, sequence=1)
    # The row stays locked until the commit: within a key, sequence and number follow the order of commits.
    sequence = await conn.execute(
        count.on_conflict_do_update(
            index_elements=["partitionkey"], set_={"sequence": event_sequences.c.sequence + 1}
        ).returning(event_sequences.c.sequence)
    )
    now, plain = clock.now(), msgspec.to_builtins(data, str_keys=True)
    await conn.execute(
        insert(events).values(
            id=identity,
            source=SOURCE,
            type=type,
            subject=subject,
            partitionkey=key,
            sequence=sequence.scalar_one(),
            correlation_id=correlation_id,
            time=now,
            data=plain,
            run_id=run_id,
        )
    )
    if deliver:
        await receive(
            conn,
            source=SOURCE,
            id=identity,
            type=type,
            key=key,
            data=plain,
            occurred_at=now,
            correlation_id=correlation_id,
        )
    return identity


async def read(
    conn: AsyncConnection,
    cursor: str | None = None,
    type: str | None = None,
    subjects: Collection[str] | None = None,
    limit: int = 50,
) -> Events:
    """The caller's events after a cursor, oldest first; the cursor to come back with is always given.

    With `subjects` only those about any of these.

    An event that commits late gets a later place, so a reader that stores its cursor misses none.
    """
    await _place(conn)
    after = decode_page(cursor, tuple[int])[0] if cursor else 0
    query = select(events).where(events.c.position > after, *own(events))
    if type:
        query = query.where(events.c.type == type)
    if subjects is not None:
        query = query.where(events.c.subject.in_(subjects))
    rows = (await conn.execute(query.order_by(events.c.position).limit(limit))).all()
    last = rows[-1].position if rows else after
    return Events(items=tuple(_event(row) for row in rows), next_cursor=encode_page(last))


async def replay(conn: AsyncConnection, types: Collection[str]) -> AsyncIterator[InboxRow]:
    """All committed events of some types as subscribers get them, in order within each key."""
    last = 0
    while True:
        query = select(events).where(events.c.number > last, events.c.type.in_(types))
        rows = (await conn.execute(query.order_by(events.c.number).limit(_PAGE))).all()
        for row in rows:
            last = row.number
            yield InboxRow(
                seq=row.number,
                source=row.source,
                id=row.id,
                type=row.type,
                key=row.partitionkey,
                data=row.data,
                occurred_at=row.time,
                correlation_id=row.correlation_id,
            )
        if len(rows) < _PAGE:
            return


async def latest(conn: AsyncConnection) -> str:
    """The cursor after the last event that has a place."""
    last = (await conn.execute(select(func.max(events.c.position)))).scalar()
    return encode_page(last or 0)


def _event(row: Any) -> Event:
    return Event(
        id=row.id,
        source=row.source,
        type=row.type,
        time=row.time,
        subject=row.subject,
        partitionkey=row.partitionkey,
        sequence=row.sequence,
        correlationid=row.correlation_id,
        data=row.data,
        dataschema=row.dataschema,
    )


async def _place(conn: AsyncConnection) -> None:
    """Give committed events their places in the feed; the first reader does it, one at a time."""
    lock = func.pg_try_advisory_xact_lock(number_of("events:places"))
    if not (await conn.execute(select(lock))).scalar():
        return
    waiting = (
        select(events.c.number, event_positions.next_value().label("position"))
        .where(events.c.position.is_(None))
        .order_by(events.c.number)
        .subquery()
    )
    await conn.execute(
        update(events).where(events.c.number == waiting.c.number).values(position=waiting.c.position)
    )
