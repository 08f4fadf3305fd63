"""Deadlines: one watch for all running hops, since a timer per call costs more than the rest of the hop."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from contracts.problems import DeadlineExceeded

T = TypeVar("T")

_TICK_SECONDS = 0.05


class Watch:
    """Cancels the hops whose deadline has passed; runs only while there are any."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._ticking = False

    async def run(self, work: Awaitable[T], deadline: float) -> T:
        """The work's result; raises DeadlineExceeded when it is not there by `deadline` (monotonic)."""
        task = asyncio.current_task()
        if task is None:
            return await work
        self._running[task] = deadline
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)
        try:
            result = await work
        except BaseException:
            self._refuse_if_late(task)
            raise
        else:
            # Work that met the cancellation with an answer of its own is late all the same.
            self._refuse_if_late(task)
            return result
        finally:
            del self._running[task]
            self._late.discard(task)

    def _refuse_if_late(self, task: asyncio.Task[object]) -> None:
        """Turn our own cancellation into DeadlineExceeded; one from elsewhere goes on as it is."""
        if task in self._late and task.uncancel() == 0:
            raise DeadlineExceeded from None

    def _tick(self) -> None:
        now = time.monotonic()
        for task, deadline in self._running.items():
            if deadline <= now and task not in self._late:
                self._late.add(task)
                task.cancel()
        if self._running:
            asyncio.get_running_loop().call_later(_TICK_SECONDS, self._tick)
        else:
            self._ticking = False
