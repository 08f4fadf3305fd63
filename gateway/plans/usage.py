"""Usage: how often each consumer called each API on each day (UTC), counted here and stored in PostgreSQL.

A killed process loses the counts since its last write, a second ago at most.
"""

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from gateway.plans.background import repeat
from gateway.tables import usage
from kit import clock
from kit.background import stop_background
from kit.batches import CLOSE_SECONDS, write_apart
from kit.database import Database
from kit.telemetry import log
from kit.texts import storable

WRITE_SECONDS = 1.0
Counted = tuple[tuple[str, str], int]
_log = log(__name__)


class Tally:
    """How often one consumer called one API since the last write."""

    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls = 0


class Use(msgspec.Struct, frozen=True):
    """One consumer's calls of one API over some days, and the last day on which it called."""

    consumer: str
    api: str
    calls: int
    last_day: dt.date


class Usage:
    """Counts in memory; writes the counts in one statement, which is retried until it succeeds."""

    def __init__(self, database: Database | None) -> None:
        self._database = database
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def tally(self, consumer: str, api: str) -> Tally:
        """The counter of calls of an API by a consumer."""
        return self._tallies.setdefault((consumer, api), Tally())

    async def start(self) -> None:
        """Start writing the counts in the background."""
        if self._database is not None:
            self._task = repeat("usage not written", WRITE_SECONDS, self.write)

    async def close(self) -> None:
        """Write the rest."""
        if self._task is not None:
            await stop_background(self._task)
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.write()
            except Exception as error:  # noqa: BLE001 - closing must not fail: what is lost is logged
                calls = sum(self._counted().values())
                _log.error("usage lost", reason=type(error).__name__, calls=calls)

    async def write(self) -> None:
        """Write the counts; raises Unavailable without the database, and retains them for later."""
        async with self._writing:
            if self._database is not None:
                # In one order, so that two writers cannot deadlock.
                counted = deque(sorted(self._counted().items()))
                await write_apart(counted, partial(self._write_some, self._database), self._give_up)

    async def _write_some(self, database: Database, counted: Sequence[Counted]) -> None:
        day = clock.now().date()
        rows: list[dict[str, Any]] = [
            {"consumer": consumer, "api": api, "day": day, "calls": calls}
            for (consumer, api), calls in counted
        ]
        statement = insert(usage).values(rows)
        more = {"calls": usage.c.calls + statement.excluded.calls}
        statement = statement.on_conflict_do_update(index_elements=list(usage.primary_key), set_=more)
        async with database.begin() as connection:
            await connection.execute(statement)
        for place, calls in counted:
            self._tallies[place].calls -= calls

    async def _give_up(self, counted: Counted, error: Exception) -> None:
        """Drop one count that can never be written, so that the others can be."""
        place, calls = counted
        self._tallies[place].calls -= calls
        consumer, api = map(storable, place)
        _log.error("usage lost", consumer=consumer, api=api, calls=calls, reason=type(error).__name__)

    def _counted(self) -> dict[tuple[str, str], int]:
        return {place: tally.calls for place, tally in self._tallies.items() if tally.calls}


async def active_consumers(database: Database, api: str, days: int) -> list[Use]:
    """The consumers that called an API within the last `days`, today included, most calls first."""
    return [use for use in await used(database, days) if use.api == api]


async def used(database: Database, days: int) -> list[Use]:
    """Every consumer's calls of every API within the last `days`, today included, most calls first."""
    since = clock.now().date() - dt.timedelta(days=days - 1)
    calls = func.sum(usage.c.calls)
    asked = (
        select(usage.c.consumer, usage.c.api, calls, func.max(usage.c.day))
        .where(usage.c.day >= since)
        .group_by(usage.c.consumer, usage.c.api)
        .order_by(calls.desc(), usage.c.consumer)
    )
    async with database.connect() as connection:
        rows = await connection.execute(asked)
        return [Use(consumer, api, int(count), last) for consumer, api, count, last in rows]
