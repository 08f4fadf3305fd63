"""system_apis: requests to Kantata OX without an answer: none is repeated while it may still take effect.

Projects, clients and (where the account has the field) tasks have a unique value, so that the vendor itself
refuses a second one. Seats and bookings have none: their next request waits until a lost one has expired.
"""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from contracts.problems import Problem, VendorDoubtful
from kit import clock
from kit.database import Database, drop_cursor, get_cursor, set_cursor

Confirm = Callable[[], Awaitable[None]]
"""Raises Unavailable when another process may have replaced this one."""

_ASK_AGAIN = 5.0  # seconds


async def no_fence() -> None:
    """Confirms that this process is the only one."""


class UnansweredRequests:
    """Requests that were sent and not answered, by purpose; with a database all processes share them."""

    def __init__(self, instance: str, database: Database | None, settle_seconds: float) -> None:
        self._instance = instance
        self._database = database
        self._settle_seconds = settle_seconds
        self._here: dict[str, str] = {}  # without a database there is this process only

    @asynccontextmanager
    async def guard(self, confirm: Confirm, name: str) -> AsyncIterator[None]:
        """A guard around a request that the vendor would execute twice.

        Raises VendorDoubtful while an unanswered one of that name may still take effect. The request is noted
        before it is sent, so that a successor sees the request of a process that crashed. A process that was
        suspended and replaced must not send, because what it has read is out of date.
        """
        await self._wait_out(name)
        await self._note(name)
        await confirm()  # after the note: a successor waits from here on for this request
        try:
            yield
        except VendorDoubtful:
            await self._note(name)  # it may have been queued: the vendor's time starts later
            raise
        except Problem:
            await self._forget(name)
            raise
        await self._forget(name)

    async def _wait_out(self, name: str) -> None:
        noted = await self._read(name)
        if noted is None:
            return
        seconds = self._settle_seconds - (clock.now() - dt.datetime.fromisoformat(noted)).total_seconds()
        if seconds > 0:
            raise VendorDoubtful(
                f"{self._instance}: an earlier request for {name} may still take effect",
                instance=self._instance,
                retry_after=min(seconds, _ASK_AGAIN),
            )

    async def _note(self, name: str) -> None:
        now = clock.now().isoformat()
        if self._database is None:
            self._here[name] = now
            return
        async with self._database.begin() as connection:
            await set_cursor(connection, self._key(name), now)

    async def _read(self, name: str) -> str | None:
        if self._database is None:
            return self._here.get(name)
        async with self._database.connect() as connection:
            return await get_cursor(connection, self._key(name))

    async def _forget(self, name: str) -> None:
        if self._database is None:
            self._here.pop(name, None)
            return
        async with self._database.begin() as connection:
            await drop_cursor(connection, self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._instance}:doubt:{name}"
