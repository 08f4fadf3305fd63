"""kit: the posting ledger: an effect in another system happens once per source record, revision and target.

The row is written before the effect. If the effect of a row is in doubt, the other system is asked first.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from contracts.problems import Problem, Refused, VendorDoubtful, VendorRejected, VendorUnavailable
from kit import context
from kit.database import Database
from kit.database.tables import ledger

T = TypeVar("T")
_ASK_AGAIN_SECONDS = 5.0


class _Entry(msgspec.Struct):
    """The row as it was opened, and the seconds since the effect was last sent."""

    state: str
    result: Any
    seconds_since: float


async def once(
    database: Database,
    *,
    source: str,
    revision: int,
    target: str,
    key: str,
    do: Callable[[], Awaitable[T]],
    find: Callable[[], Awaitable[T | None]],
    returns: type[T],
    wait_out: float,
) -> T:
    """The result of an effect that is made at most once, however often it is requested.

    `do` makes it under the vendor's `key`; `find` asks the vendor for what that key made. An empty answer
    counts only `wait_out` seconds after the last sending, for the vendor may commit late; until then
    VendorDoubtful is raised, to be tried again.
    """
    entry = _Row(database, source, revision, target)
    async with database.locks.hold(f"ledger:{source}:{revision}:{target}"):
        known = await entry.open(key)
        if known.state == "done":
            return msgspec.convert(known.result, returns, str_keys=True)
        if known.state in ("intended", "doubtful"):
            existing = await find()
            if existing is not None:
                return await entry.close(existing)
            _believe(known, wait_out)
        return await _send(entry, do)


async def undone(database: Database, *, source: str, revision: int, target: str) -> None:
    """Record that the effect was undone: a later `once` makes it again, under the same key."""
    await _Row(database, source, revision, target).mark("undone")


def _believe(known: _Entry, wait_out: float) -> None:
    """Raise VendorDoubtful while the vendor may still commit what was sent last."""
    left = wait_out - known.seconds_since
    if left > 0:
        raise VendorDoubtful(
            "An earlier attempt may still take effect",
            retry_after=min(left, _ASK_AGAIN_SECONDS),
            extra={"wait_out": left},
        )


async def _send(entry: "_Row", do: Callable[[], Awaitable[T]]) -> T:
    await entry.intend()
    try:
        result = await do()
    except VendorDoubtful:
        await entry.mark("doubtful")
        raise
    except VendorUnavailable:
        await entry.mark("open")  # surely nothing happened
        raise
    except Problem as problem:
        # A refusal did nothing; any other failure (off-schema answer, our own fault) may have done it.
        await entry.mark("open" if isinstance(problem, Refused | VendorRejected) else "doubtful")
        raise
    return await entry.close(result)


class _Row:
    """One ledger row; each change is a transaction of its own, since the effect lies between them."""

    def __init__(self, database: Database, source: str, revision: int, target: str) -> None:
        self._database = database
        self._key = {"source": source, "revision": revision, "target": target}
        self._this = (
            (ledger.c.source == source) & (ledger.c.revision == revision) & (ledger.c.target == target)
        )

    async def open(self, key: str) -> _Entry:
        here = context.current()
        row = insert(ledger).values(
            **self._key,
            key=key,
            state="open",
            correlation_id=here.correlation_id,
            workflow_id=here.workflow_id,
        )
        since = func.extract("epoch", func.clock_timestamp() - ledger.c.sent_at)
        async with self._database.begin() as connection:
            await connection.execute(row.on_conflict_do_nothing())
            entry = (
                await connection.execute(select(ledger.c.state, ledger.c.result, since).where(self._this))
            ).one()
        return _Entry(entry[0], entry[1], float(entry[2] or 0))

    async def intend(self) -> None:
        now = func.clock_timestamp()
        await self._write(
            state="intended", attempts=ledger.c.attempts + 1, sent_at=now, updated_at=now, result=None
        )

    async def mark(self, state: str) -> None:
        await self._write(state=state, updated_at=func.clock_timestamp())

    async def close(self, result: T) -> T:
        stored = msgspec.to_builtins(result, str_keys=True)
        await self._write(state="done", result=stored, updated_at=func.clock_timestamp())
        return result

    async def _write(self, **values: Any) -> None:
        async with self._database.begin() as connection:
            await connection.execute(update(ledger).where(self._this).values(**values))
