"""Quota: how many calls a consumer has in a calendar month (UTC), counted in PostgreSQL by batches.

A batch counts when it is taken, so the quota is never exceeded while the database answers. The batch of a
killed worker is lost to the consumer; a worker that closes returns the rest of its batch.
"""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from contracts.problems import Problem, Unavailable
from gateway.policies.rate_limit.window import Clock
from gateway.tables import quotas
from kit import clock as deployment_clock
from kit.database import Database
from kit.telemetry import log, meter

BOUND = 100  # the batches of all workers together are at most a hundredth of the quota
_LARGEST = 10_000
_AVOID_SECONDS = 1.0  # how long a used-up quota or an unavailable database is not queried
_REPORTED_SECONDS = 3.0  # the greatest age of the reported use of others
_PATIENCE_SECONDS = 1.0
_NAME = "month"
_log = log(__name__)
_local_shares = meter(__name__).create_counter(
    "enfilade.gateway.quota.local_shares", description="Calls of a quota given while the database was away"
)


def month_of(now: dt.datetime) -> dt.date:
    """The first day of the month of an instant."""
    return now.astimezone(dt.UTC).date().replace(day=1)


def _instant(month: dt.date) -> dt.datetime:
    return dt.datetime(month.year, month.month, 1, tzinfo=dt.UTC)


def _following(month: dt.date) -> dt.date:
    return (month + dt.timedelta(days=31)).replace(day=1)


class QuotaBook:
    """The used part of every quota, in PostgreSQL. Raises Unavailable when that does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(
        self, consumer: str, api: str, month: dt.date, *, batch: int, quota: int
    ) -> tuple[int, int]:
        """How much of a batch is granted, and what all workers have taken with it."""
        place = {"consumer": consumer, "api": api, "month": month}
        row = [getattr(quotas.c, name) == value for name, value in place.items()]
        async with _in_time(), self._database.begin() as connection:
            await connection.execute(insert(quotas).values(**place).on_conflict_do_nothing())
            taken = await connection.scalar(select(quotas.c.taken).where(*row).with_for_update())
            taken = int(taken or 0)
            granted = max(0, min(batch, quota - taken))
            await connection.execute(update(quotas).where(*row).values(taken=taken + granted))
        return granted, taken + granted

    async def add(self, consumer: str, api: str, month: dt.date, amount: int) -> None:
        """Record calls that were granted locally; a negative amount returns unused ones."""
        statement = insert(quotas).values(consumer=consumer, api=api, month=month, taken=max(0, amount))
        more = {"taken": quotas.c.taken + amount}
        statement = statement.on_conflict_do_update(index_elements=list(quotas.primary_key), set_=more)
        async with _in_time(), self._database.begin() as connection:
            await connection.execute(statement)

    async def taken(self, month: dt.date) -> Mapping[tuple[str, str], int]:
        """What is taken in a month, by consumer and API."""
        asked = select(quotas.c.consumer, quotas.c.api, quotas.c.taken).where(quotas.c.month == month)
        async with _in_time(), self._database.connect() as connection:
            return {(row.consumer, row.api): row.taken for row in await connection.execute(asked)}


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """Bounds the time of a query, since a caller waits; raises Unavailable afterwards."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            yield
    except TimeoutError:
        raise Unavailable("The database does not answer in time", retry_after=1) from None


class Quota:
    """One consumer's part of its month in this worker.

    While the database is unavailable the worker grants its share of what was left, and records it later.
    """

    def __init__(
        self,
        book: QuotaBook | None,
        consumer: str,
        api: str,
        quota: int,
        workers: int,
        clock: Clock = time.monotonic,
    ) -> None:
        self.quota = quota
        self.consumer, self.api = consumer, api
        self._book = book
        self._workers = workers
        self._clock = clock
        self._lock = asyncio.Lock()
        self._begin(month_of(deployment_clock.now()))

    def _begin(self, month: dt.date) -> None:
        now = deployment_clock.now()
        following = _instant(_following(month))
        self.month = month
        self.left = 0
        self._seconds = int((following - _instant(month)).total_seconds())
        self._ends = self._clock() + (following - now).total_seconds()
        self._taken = 0
        self._reported_at = float("-inf")
        self._avoid_until = float("-inf")
        self._away_until = float("-inf")
        self._owed = 0

    @property
    def policy(self) -> str:
        """The quota's item of the RateLimit-Policy field."""
        return f'"{_NAME}";q={self.quota};w={self._seconds}'

    def ready(self, now: float) -> bool:
        """Whether a call may be spent locally."""
        return self.left > 0 and now < self._ends

    async def refill(self) -> bool:
        """Take a new batch; False when the quota is used up."""
        async with self._lock:
            self.turn()
            if self.left:
                return True
            if self._clock() < self._avoid_until:
                return False
            self.left = await self._take()
            if not self.left:
                self._avoid_until = self._clock() + _AVOID_SECONDS
            return self.left > 0

    async def _take(self) -> int:
        batch = max(1, min(_LARGEST, self.quota // (BOUND * self._workers)))
        if self._book is not None and self._clock() >= self._away_until:
            try:
                granted, taken = await self._book.take(
                    self.consumer, self.api, self.month, batch=batch, quota=self.quota
                )
            except Problem:
                self._away_until = self._clock() + _AVOID_SECONDS
            else:
                self.report(taken)
                return granted
        share = max(1, (self.quota - self._taken) // self._workers)
        granted = max(0, min(batch, share - self._owed))
        self._owed += granted
        _local_shares.add(granted)
        return granted

    def turn(self) -> None:
        """Start a new month when the calendar has."""
        month = month_of(deployment_clock.now())
        if month != self.month:
            self._begin(month)

    async def settle(self) -> None:
        """Record what was granted without the database; raises Unavailable while it does not answer."""
        async with self._lock:
            if self._owed and self._book is not None:
                await self._book.add(self.consumer, self.api, self.month, self._owed)
                self._owed = 0

    async def close(self) -> None:
        """Return what was not spent."""
        async with self._lock:
            amount, self.left = self._owed - self.left, 0
            if amount and self._book is not None:
                try:
                    await self._book.add(self.consumer, self.api, self.month, amount)
                except Exception as error:  # noqa: BLE001 - the other quotas must still be returned
                    fields = {"consumer": self.consumer, "api": self.api, "calls": amount}
                    _log.warning("quota not returned", **fields, reason=type(error).__name__)

    def report(self, taken: int) -> None:
        """Update what all workers took."""
        self._taken, self._reported_at = taken, self._clock()

    def field(self, now: float) -> str:
        """The quota's item of the RateLimit field."""
        elsewhere = self.quota - self._taken if now - self._reported_at < _REPORTED_SECONDS else 0
        return f'"{_NAME}";r={self.left + max(0, elsewhere)};t={self.wait(now)}'

    def refused(self, now: float) -> str:
        """The item when the quota is used up."""
        return f'"{_NAME}";r=0;t={self.wait(now)}'

    def wait(self, now: float) -> int:
        """Whole seconds until the month ends."""
        return max(1, int(self._ends - now + 0.999))
