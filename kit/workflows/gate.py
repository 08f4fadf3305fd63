"""kit/workflows: where a process that closes lets no step begin and waits for those in flight."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from contracts.problems import Unavailable

T = TypeVar("T")
_RETRY_SECONDS, _LONGEST_SECONDS = 0.2, 2.0


class Gate:
    """Every durable step passes here. Once closed, a caller that comes later waits to be cancelled."""

    def __init__(self) -> None:
        self._closed = False
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @asynccontextmanager
    async def admit(self) -> AsyncIterator[None]:
        if self._closed:
            await asyncio.Event().wait()
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def close(self, patience: float) -> bool:
        """Admit no more steps and wait for those in flight; False when some outlast the patience."""
        self._closed = True
        try:
            await asyncio.wait_for(self._empty.wait(), patience)
        except TimeoutError:
            return False
        return True


async def retry_until_available(write: Callable[[], Awaitable[T]]) -> T:
    """Write a row however long the database stays away or refuses: a run's rows are not optional."""
    pause = _RETRY_SECONDS
    while True:
        try:
            return await write()
        except Unavailable:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_SECONDS)
