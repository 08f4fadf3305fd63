"""kit: idempotency keys: the answer to a request is given again to whoever repeats it, and made only once."""

import datetime as dt
import secrets

import msgspec
from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from kit import clock
from kit.database import Database
from kit.database.tables import idempotency_keys as keys

_ABANDONED_SECONDS = 60.0


class Fresh(msgspec.Struct, frozen=True):
    """The request is ours to carry out; `holder` settles or releases it."""

    holder: str


class Replay(msgspec.Struct, frozen=True):
    """It was carried out before: this was the answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Running(msgspec.Struct, frozen=True):
    """The first request is still at work."""


class Reused(msgspec.Struct, frozen=True):
    """The key was used before with another request."""


Reservation = Fresh | Replay | Running | Reused


async def reserve(
    database: Database,
    *,
    consumer: str,
    operation: str,
    key: str,
    fingerprint: str,
    ttl: float,
    abandoned_after: float = _ABANDONED_SECONDS,
) -> Reservation:
    """What to do with a request under a key; a key lives for `ttl` seconds.

    A reservation whose holder died is abandoned after a while, and the repeated request is carried out.
    """
    holder, now = secrets.token_hex(8), clock.now()
    row = insert(keys).values(
        consumer=consumer,
        operation=operation,
        key=key,
        fingerprint=fingerprint,
        holder=holder,
        reserved_at=now,
        expires_at=now + dt.timedelta(seconds=ttl),
    )
    again = {name: row.excluded[name] for name in ("fingerprint", "holder", "reserved_at", "expires_at")}
    left = and_(
        keys.c.status.is_(None),
        keys.c.fingerprint == fingerprint,
        keys.c.reserved_at <= now - dt.timedelta(seconds=abandoned_after),
    )
    taken = row.on_conflict_do_update(
        index_elements=["consumer", "operation", "key"],
        set_=again | {"status": None, "headers": {}, "body": None},
        where=or_(keys.c.expires_at <= now, left),
    ).returning(keys.c.holder)
    async with database.begin() as connection:
        if (await connection.execute(taken)).scalar() is not None:
            return Fresh(holder)
        found = (await connection.execute(select(keys).where(_this(consumer, operation, key)))).one_or_none()
    if found is not None and found.fingerprint != fingerprint:
        return Reused()
    if found is None or found.status is None:
        return Running()
    return Replay(found.status, found.headers, found.body)


async def settle(
    database: Database,
    *,
    consumer: str,
    operation: str,
    key: str,
    holder: str,
    status: int,
    headers: dict[str, str],
    body: bytes,
) -> None:
    """Keep the answer for those who repeat the request."""
    mine = _this(consumer, operation, key) & (keys.c.holder == holder)
    async with database.begin() as connection:
        await connection.execute(update(keys).where(mine).values(status=status, headers=headers, body=body))


async def release(database: Database, *, consumer: str, operation: str, key: str, holder: str) -> None:
    """Forget a reservation whose request had no effect: a repetition is carried out."""
    mine = _this(consumer, operation, key) & (keys.c.holder == holder)
    async with database.begin() as connection:
        await connection.execute(keys.delete().where(mine))


async def purge(database: Database) -> int:
    """Forget the keys that have expired; how many those were."""
    async with database.begin() as connection:
        return (await connection.execute(keys.delete().where(keys.c.expires_at <= clock.now()))).rowcount


def _this(consumer: str, operation: str, key: str) -> ColumnElement[bool]:
    return (keys.c.consumer == consumer) & (keys.c.operation == operation) & (keys.c.key == key)
