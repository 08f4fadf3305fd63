"""kit/inbox: deliveries: what is to be handed to whom, one row per event and subscriber."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database.locks import number_of
from kit.database.tables import deliveries, inbox
from kit.inbox.receiving import InboxRow, release_undelivered

_WAITING = ("new", "parked")


async def any_due(connection: AsyncConnection, names: Collection[str]) -> bool:
    """Whether an event or a delivery to some subscribers is due, be it held back by an earlier one or not."""
    now = text("clock_timestamp()")
    event = exists().where(inbox.c.status == "new", inbox.c.next_at <= now)
    delivery = exists().where(
        deliveries.c.status == "new", deliveries.c.subscriber.in_(list(names)), deliveries.c.next_at <= now
    )
    return bool((await connection.execute(select(or_(event, delivery)))).scalar())


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


async def claim(
    connection: AsyncConnection, names: Collection[str], batched: Collection[str] = ()
) -> tuple[str, list[InboxRow]] | None:
    """The oldest delivery that is due and first of its key and subscriber, locked until the commit.

    To the subscribers in `batched` those only that failed before: these are tried alone.
    """
    earlier = deliveries.alias("earlier")
    blocked = exists().where(
        earlier.c.subscriber == deliveries.c.subscriber,
        earlier.c.key == deliveries.c.key,
        earlier.c.seq < deliveries.c.seq,
        earlier.c.status.in_(_WAITING),
    )
    query = (
        _due(names)
        .where(~blocked, or_(deliveries.c.subscriber.not_in(batched), deliveries.c.attempts > 0))
        .limit(1)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    row = (await connection.execute(query)).one_or_none()
    return (row.subscriber, [_inbox_row(row)]) if row is not None else None


async def claim_batch(
    connection: AsyncConnection, name: str, most: int, wait: float
) -> tuple[str, list[InboxRow]] | None:
    """The deliveries that a subscriber takes together, oldest first, locked until the commit.

    None while they are fewer than `most` and the oldest waits for less than `wait` seconds. One that failed
    before is not among them, nor what comes behind it under its key.
    """
    # One batch of a subscriber at a time: else two that share a key could end in either order.
    mine = select(func.pg_try_advisory_xact_lock(number_of(f"inbox batch:{name}")))
    if not (await connection.execute(mine)).scalar():
        return None
    earlier = deliveries.alias("earlier")
    blocked = exists().where(
        earlier.c.subscriber == name,
        earlier.c.key == deliveries.c.key,
        earlier.c.seq < deliveries.c.seq,
        or_(earlier.c.status == "parked", and_(earlier.c.status == "new", earlier.c.attempts > 0)),
    )
    query = (
        _due([name]).where(deliveries.c.attempts == 0, ~blocked).limit(most).with_for_update(of=deliveries)
    )
    rows = (await connection.execute(query)).all()
    if not rows or (len(rows) < most and rows[0].waited < wait):
        return None
    return name, [_inbox_row(row) for row in rows]


def _due(names: Collection[str]) -> Select[Any]:
    """The deliveries to some subscribers that are due, oldest first."""
    now = text("clock_timestamp()")
    waited = func.extract("epoch", func.clock_timestamp() - deliveries.c.next_at).label("waited")
    return (
        select(deliveries.c.subscriber, deliveries.c.attempts.label("tries"), waited, inbox)
        .join(inbox, inbox.c.seq == deliveries.c.seq)
        .where(
            deliveries.c.status == "new",
            deliveries.c.subscriber.in_(list(names)),
            deliveries.c.next_at <= now,
        )
        .order_by(deliveries.c.seq)
    )


def _inbox_row(row: Row[Any]) -> InboxRow:
    return InboxRow(
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


async def mark(connection: AsyncConnection, seqs: Collection[int], subscriber: str, **values: Any) -> None:
    """What became of deliveries; an event is done when all of its deliveries are."""
    these = deliveries.c.seq.in_(seqs) & (deliveries.c.subscriber == subscriber)
    await connection.execute(update(deliveries).where(these).values(**values))
    await _settle(connection, seqs)


async def _settle(connection: AsyncConnection, seqs: Collection[int]) -> None:
    # Under the events' locks, for two deliveries of one may end at once.
    locked = select(inbox.c.seq).where(inbox.c.seq.in_(seqs)).order_by(inbox.c.seq)
    await connection.execute(locked.with_for_update())
    query = select(deliveries.c.seq, deliveries.c.status).where(deliveries.c.seq.in_(seqs))
    statuses: defaultdict[int, set[str]] = defaultdict(set)
    for seq, status in await connection.execute(query):
        statuses[seq].add(status)
    outcomes: defaultdict[str, list[int]] = defaultdict(list)
    for seq, of_event in statuses.items():
        outcomes[_outcome(of_event)].append(seq)
    for outcome, events in outcomes.items():
        ended = outcome in ("done", "skipped")
        values = {"status": outcome, "handled_at": func.clock_timestamp() if ended else None}
        await connection.execute(update(inbox).where(inbox.c.seq.in_(events)).values(**values))


def _outcome(statuses: set[str]) -> str:
    """An event's status by those of its deliveries."""
    if statuses & set(_WAITING):
        return "parked" if "parked" in statuses else "taken"
    return "skipped" if statuses == {"skipped"} else "done"


async def release(connection: AsyncConnection, seq: int, subscriber: str, *, again: bool) -> None:
    """Let a parked delivery go: to be handled again, or never."""
    if not subscriber:
        await release_undelivered(connection, seq, again=again)
        return
    this = (deliveries.c.seq == seq) & (deliveries.c.subscriber == subscriber)
    now = func.clock_timestamp()
    values = {"status": "new", "attempts": 0, "next_at": now} if again else {"status": "skipped"}
    await connection.execute(update(deliveries).where(this, deliveries.c.status == "parked").values(**values))
    await _settle(connection, [seq])
