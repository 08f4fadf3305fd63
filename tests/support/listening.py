"""tests: an inbox and a cursor store in memory, and a change source that runs for the length of a block."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from contracts.events.kinds import RecordChanged
from system_apis.connector import ChangeSource


class Received(NamedTuple):
    dedupe_id: str
    type: str
    key: str
    change: RecordChanged
    occurred_at: dt.datetime


class Inbox:
    """Keeps what is new and counts what was seen before."""

    def __init__(self) -> None:
        self.items: list[Received] = []
        self.repeated: list[str] = []
        self._news = asyncio.Condition()

    async def __call__(
        self,
        dedupe_id: str,
        type: str,  # noqa: A002
        key: str,
        change: RecordChanged,
        occurred_at: dt.datetime,
    ) -> bool:
        async with self._news:
            known = any(item.dedupe_id == dedupe_id for item in self.items)
            if known:
                self.repeated.append(dedupe_id)
            else:
                self.items.append(Received(dedupe_id, type, key, change, occurred_at))
            self._news.notify_all()
        return not known

    async def until(self, condition: Callable[[Received], bool]) -> Received:
        """The first item that fulfils the condition; waits for it."""

        def found() -> Received | None:
            return next(filter(condition, self.items), None)

        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: found() is not None)
        item = found()
        assert item is not None
        return item

    async def until_repeated(self) -> None:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: bool(self.repeated))


class Cursors:
    """A cursor store that shows when something is kept."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self._news = asyncio.Condition()

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def set(self, name: str, value: str) -> None:
        async with self._news:
            self.kept[name] = value
            self._news.notify_all()

    async def until(self, condition: Callable[[dict[str, str]], bool]) -> None:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(lambda: condition(self.kept))


@asynccontextmanager
async def running(source: ChangeSource, inbox: Inbox, cursors: Cursors) -> AsyncIterator[asyncio.Task[None]]:
    """The source runs until the block ends, and then stops when told."""
    stop = asyncio.Event()
    task = asyncio.create_task(source.run(inbox, cursors, stop))
    try:
        yield task
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await task
