"""kit: idempotency keys: a repeated request gets the stored answer, and its work is done once."""

import datetime as dt
import secrets
import time

import msgspec
from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock
from kit.database import Database
from kit.database.locks import Hold, number_of
from kit.database.tables import idempotency_keys as keys

_ABANDONED_SECONDS = 60.0
_CHECK_SECONDS = 1.0


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


class Life:
    """That this process lives, for the others to see: a lock of its session, which dies with it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._name = ""
        self._held: Hold | None = None
        self._checked = 0.0

    async def name(self) -> str:
        """The name that this process reserves under, its lock held; raises Unavailable.

        A session that ended unnoticed would let others take over work that goes on here, so it is checked now
        and then; after its end this process has a new name, which no other has checked yet.
        """
        if time.monotonic() - self._checked > _CHECK_SECONDS:
            self._checked = time.monotonic()
            if self._held is not None:
                await self._database.locks.check()
        if self._held is None or self._held.lost.is_set():
            name = secrets.token_hex(8)
            self._held = await self._database.locks.take(_lock_of(name))
            self._name = name
        return self._name


def _lock_of(name: str) -> str:
    return f"idempotency:{name}"


async def reserve(
    database: Database,
    *,
    life: Life,
    consumer: str,
    operation: str,
    key: str,
    fingerprint: str,
    ttl: float,
    abandoned_after: float = _ABANDONED_SECONDS,
) -> Reservation:
    """What to do with a request under a key; a key lives for `ttl` seconds.

    A reservation whose holder's process died is taken over at once, and so is one that a living process has
    neither settled nor released after `abandoned_after` seconds: the repeated request is carried out.
    """
    holder, now = f"{await life.name()}.{secrets.token_hex(8)}", clock.now()
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
        place = _this(consumer, operation, key)
        reservation = (await connection.execute(select(keys).where(place))).one_or_none()
        if reservation is None:
            return Running()
        if reservation.fingerprint != fingerprint:
            return Reused()
        if reservation.status is not None:
            return Replay(reservation.status, reservation.headers, reservation.body)
        if await _died(connection, reservation.holder):
            mine = update(keys).where(place, keys.c.holder == reservation.holder, keys.c.status.is_(None))
            if (await connection.execute(mine.values(holder=holder, reserved_at=now))).rowcount:
                return Fresh(holder)
    return Running()


async def _died(connection: AsyncConnection, holder: str) -> bool:
    """Whether the reserving process has died: its lock is free. Many processes may ask at once."""
    lock = func.pg_try_advisory_xact_lock_shared(number_of(_lock_of(holder.partition(".")[0])))
    return bool((await connection.execute(select(lock))).scalar())


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
    """Store the answer for repetitions of the request."""
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
