"""Deadlines: one watch for all running hops, since a timer per call costs more than the rest of the hop."""

import asyncio
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
        """The result of the work; raises DeadlineExceeded when `deadline` (monotonic) passes first."""
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
            # Work that answered its cancellation with a result is late, too.
            self._refuse_if_late(task)
            return result
        finally:
            del self._running[task]
            self._late.discard(task)

    def _refuse_if_late(self, task: asyncio.Task[object]) -> None:
        """Turn a cancellation by `_end` into DeadlineExceeded; any other propagates."""
        if task in self._late and task.uncancel() == 0:
            raise DeadlineExceeded from None

    def _tick(self) -> None:
        """Set timers only for hops that are due before the next tick: nearly all end long before.

        Each has its own timer: cancelling many at once would delay all other requests.
        """
        loop = asyncio.get_running_loop()
        soon = loop.time() + _TICK_SECONDS
        for task, deadline in self._running.items():
            if deadline < soon and task not in self._late:
                loop.call_at(deadline, self._end, task, deadline)
        if self._running:
            loop.call_later(_TICK_SECONDS, self._tick)
        else:
            self._ticking = False

    def _end(self, task: asyncio.Task[object], deadline: float) -> None:
        if self._running.get(task) == deadline and task not in self._late:
            self._late.add(task)
            task.cancel()
