"""kit/inbox: deliveries: what is to be handed to whom, one row per event and subscriber."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database.tables import deliveries, inbox
from kit.inbox.receiving import InboxRow, release_undelivered

_WAITING = ("new", "parked")


async def fan_out(connection: AsyncConnection, subscribers: Mapping[str, Sequence[str]]) -> bool:
    """Make the deliveries of the oldest event that has none, in order per key; False when there is none.

    `subscribers` are their names, by the event's type.
    """
    earlier = inbox.alias("earlier")
    # One that an older release parked was never handed out; those behind it go on waiting.
    unhanded = ~exists().where(deliveries.c.seq == earlier.c.seq)
    blocked = exists().where(
        earlier.c.key == inbox.c.key,
        earlier.c.seq < inbox.c.seq,
        or_(earlier.c.status == "new", and_(earlier.c.status == "parked", unhanded)),
    )
    query = (
        select(inbox.c.seq, inbox.c.type, inbox.c.key)
        .where(inbox.c.status == "new", inbox.c.next_at <= text("clock_timestamp()"), ~blocked)
        .order_by(inbox.c.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return False
    names = subscribers.get(row.type, ())
    for name in names:
        await connection.execute(insert(deliveries).values(seq=row.seq, subscriber=name, key=row.key))
    values = {"status": "taken"} if names else {"status": "ignored", "handled_at": func.clock_timestamp()}
    await connection.execute(update(inbox).where(inbox.c.seq == row.seq).values(**values))
    return True


async def claim(connection: AsyncConnection, names: Iterable[str]) -> tuple[str, InboxRow] | None:
    """The oldest delivery that is due and first of its key and subscriber, locked until the commit."""
    earlier = deliveries.alias("earlier")
    blocked = exists().where(
        earlier.c.subscriber == deliveries.c.subscriber,
        earlier.c.key == deliveries.c.key,
        earlier.c.seq < deliveries.c.seq,
        earlier.c.status.in_(_WAITING),
    )
    query = (
        select(deliveries.c.subscriber, deliveries.c.attempts.label("tries"), inbox)
        .join(inbox, inbox.c.seq == deliveries.c.seq)
        .where(
            deliveries.c.status == "new",
            deliveries.c.subscriber.in_(list(names)),
            deliveries.c.next_at <= text("clock_timestamp()"),
            ~blocked,
        )
        .order_by(deliveries.c.seq)
        .limit(1)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return row.subscriber, InboxRow(
        seq=row.seq,
        source=row.source,
        id=row.id,
        type=row.type,
        key=row.key,
        data=row.data,
        occurred_at=row.occurred_at,
        correlation_id=row.correlation_id,
        attempts=row.tries,
    )


async def mark(connection: AsyncConnection, seq: int, subscriber: str, **values: Any) -> None:
    """What became of a delivery; the event is done when all of its deliveries are."""
    this = (deliveries.c.seq == seq) & (deliveries.c.subscriber == subscriber)
    await connection.execute(update(deliveries).where(this).values(**values))
    await _settle(connection, seq)


async def _settle(connection: AsyncConnection, seq: int) -> None:
    # Under the event's lock, for two deliveries of it may end at once.
    await connection.execute(select(inbox.c.seq).where(inbox.c.seq == seq).with_for_update())
    found = await connection.execute(select(deliveries.c.status).where(deliveries.c.seq == seq))
    statuses = set(found.scalars())
    values: dict[str, Any] = {"status": "parked" if "parked" in statuses else "taken", "handled_at": None}
    if not statuses & set(_WAITING):
        values = {
            "status": "skipped" if statuses == {"skipped"} else "done",
            "handled_at": func.clock_timestamp(),
        }
    await connection.execute(update(inbox).where(inbox.c.seq == seq).values(**values))


async def release(connection: AsyncConnection, seq: int, subscriber: str, *, again: bool) -> None:
    """Let a parked delivery go: to be handled again, or never."""
    if not subscriber:
        await release_undelivered(connection, seq, again=again)
        return
    this = (deliveries.c.seq == seq) & (deliveries.c.subscriber == subscriber)
    now = func.clock_timestamp()
    values = {"status": "new", "attempts": 0, "next_at": now} if again else {"status": "skipped"}
    await connection.execute(update(deliveries).where(this, deliveries.c.status == "parked").values(**values))
    await _settle(connection, seq)
