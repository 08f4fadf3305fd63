"""deploy: what is measured beside requests: how late the loop is, and what waits in the database."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from contracts.problems import Problem
from kit.background import run_background, stop_background
from kit.database import Database
from kit.database.backlog import backlog
from kit.telemetry import Family, Histogram, Sample

_EVERY_SECONDS = 0.25
_BACKLOG_SECONDS = 5.0  # the greatest age of the reported state of the database
_ASK_SECONDS = 2.0
_lag = Histogram(
    "enfilade.loop.lag",
    "The delay of the event loop's timers",
    bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)


@asynccontextmanager
async def measured_loop() -> AsyncIterator[None]:
    """Measure the lag of the running loop for the length of the block."""
    task = run_background("measuring of the loop", _measure_lag)
    try:
        yield
    finally:
        await stop_background(task)


async def _measure_lag() -> None:
    series = _lag.series()
    while True:
        before = time.monotonic()
        await asyncio.sleep(_EVERY_SECONDS)
        series.record(max(0.0, time.monotonic() - before - _EVERY_SECONDS))


class Backlog:
    """The backlog in the database, queried at most every few seconds however often it is scraped."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._families: list[Family] = []
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def families(self) -> list[Family]:
        """The gauges; only that the database is away when it is."""
        async with self._lock:
            if time.monotonic() - self._asked_at > _BACKLOG_SECONDS:
                self._families = await self._ask()
                self._asked_at = time.monotonic()
            return self._families

    async def _ask(self) -> list[Family]:
        try:
            async with asyncio.timeout(_ASK_SECONDS), self._database.connect() as connection:
                return [*await backlog(connection), _up(1)]
        except (Problem, TimeoutError):
            return [_up(0)]


def _up(value: int) -> Family:
    return Family("enfilade_database_up", "gauge", "Whether the database answered", [Sample(value)])
