"""system_apis: one writer per key, and no request twice, for vendors without unique keys of their own.

A request without an answer is not repeated while it may still take effect: its successor waits until the lost
one has expired.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from weakref import WeakValueDictionary

from contracts.problems import Problem, VendorDoubtful
from kit import clock
from kit.database import Database, drop_cursor, get_cursor, set_cursor

Confirm = Callable[[], Awaitable[None]]
"""Raises Unavailable when another process may have replaced this one."""

Guard = Callable[[str], AbstractAsyncContextManager[None]]
"""A guard around a request of that name which the vendor would execute twice."""

_ASK_AGAIN = 5.0  # seconds


class Writers:
    """The writers of one instance: one per key, in all processes that share the database."""

    def __init__(self, instance: str, database: Database | None, settle_seconds: float) -> None:
        self._instance = instance
        self._database = database
        self._unanswered = UnansweredRequests(instance, database, settle_seconds)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[Guard]:
        """Alone with a key; yields what guards the requests that must not be sent twice."""
        if self._database is None:
            lock = self._locks.setdefault(name, asyncio.Lock())
            async with lock:
                yield partial(self._unanswered.guard, _no_fence)
            return
        async with self._database.locks.hold(f"{self._instance}:{name}") as fence:
            yield partial(self._unanswered.guard, fence.confirm)


async def _no_fence() -> None:
    """Confirms that this process is the only one."""


class UnansweredRequests:
    """Requests that were sent and not answered, by purpose; with a database all processes share them."""

    def __init__(self, instance: str, database: Database | None, settle_seconds: float) -> None:
        self._instance = instance
        self._settle_seconds = settle_seconds
        self._notes = Notes(instance, database, "doubt")

    @asynccontextmanager
    async def guard(self, confirm: Confirm, name: str) -> AsyncIterator[None]:
        """A guard around a request that the vendor would execute twice.

        Raises VendorDoubtful while an unanswered one of that name may still take effect. The request is noted
        before it is sent, so that a successor sees the request of a process that crashed. A process that was
        suspended and replaced must not send, because what it has read is out of date.
        """
        await self._wait_out(name)
        await self._notes.write(name, clock.now().isoformat())
        await confirm()  # after the note: a successor waits from here on for this request
        try:
            yield
        except VendorDoubtful:
            # It may have been queued: the vendor's time starts later.
            await self._notes.write(name, clock.now().isoformat())
            raise
        except Problem:
            await self._notes.remove(name)
            raise
        await self._notes.remove(name)

    async def _wait_out(self, name: str) -> None:
        noted = await self._notes.read(name)
        if noted is None:
            return
        seconds = self._settle_seconds - (clock.now() - dt.datetime.fromisoformat(noted)).total_seconds()
        if seconds > 0:
            raise VendorDoubtful(
                f"{self._instance}: an earlier request for {name} may still take effect",
                instance=self._instance,
                retry_after=min(seconds, _ASK_AGAIN),
            )


class Notes:
    """Short notes of one instance by name; with a database all processes share them, and they last."""

    def __init__(self, instance: str, database: Database | None, kind: str) -> None:
        self._prefix = f"{instance}:{kind}"
        self._database = database
        self._here: dict[str, str] = {}  # without a database there is this process only

    async def write(self, name: str, text: str) -> None:
        if self._database is None:
            self._here[name] = text
            return
        async with self._database.begin() as connection:
            await set_cursor(connection, self._key(name), text)

    async def read(self, name: str) -> str | None:
        if self._database is None:
            return self._here.get(name)
        async with self._database.connect() as connection:
            return await get_cursor(connection, self._key(name))

    async def remove(self, name: str) -> None:
        if self._database is None:
            self._here.pop(name, None)
            return
        async with self._database.begin() as connection:
            await drop_cursor(connection, self._key(name))

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}"
