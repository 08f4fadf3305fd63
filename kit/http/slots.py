"""Call slots: how many calls an instance may have in flight over all processes, with a reserve for people."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable

from contracts.operation import Lane
from contracts.problems import Unavailable
from kit import telemetry
from kit.background import run_background, stop_background
from kit.http.locks import LocalLocks, Locks, SlotLocks, space_of

_log = telemetry.log(__name__)

_HOLD_SECONDS = (
    0.1  # seconds for which a process may hand a slot from call to call before it lets others have it
)
_POLL_SECONDS = (0.02, 0.05)  # seconds between two polls for a slot that another process released
_BROKEN = 0.5  # seconds before the database is asked again after it failed
_PATIENCE = 2.0  # seconds without the database after which waiting callers are refused


class SlotPool:
    """The slots of one instance as one process sees them.

    Numbers below `reserve` are for the interactive lane only. Callers wait on futures; one task at a time
    asks for slots on their behalf. While its own calls queue, a process passes a slot on without asking
    anybody, but gives it back after a turn if another process waits.
    """

    def __init__(self, instance: str, size: int, reserve: int, locks: Locks) -> None:
        self._name = f"call slots of {instance}"
        self._space = space_of(instance)
        self._size = size
        self._reserve = reserve
        self._locks = locks
        self._since: dict[int, float] = {}  # the slots that this process holds, and since when
        self._yielded_until: dict[int, float] = {}  # the slots that it left to others, and until when
        self._queues: dict[Lane, deque[asyncio.Future[int]]] = {"interactive": deque(), "batch": deque()}
        self._pump: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, lane: Lane) -> int:
        """Wait for a slot, first come first served within the lane; raises Unavailable without a database."""
        place: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queues[lane].append(place)
        self._wake()
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.give(place.result())
            raise

    def give(self, slot: int) -> None:
        """Pass the slot on to a caller that waits in this process, or release it."""
        if self._next(slot) is None:
            self._spawn(lambda: self._return(slot))
        elif time.monotonic() - self._since[slot] < _HOLD_SECONDS:
            self._pass_on(slot)
        else:
            self._spawn(lambda: self._end_turn(slot))

    async def close(self) -> None:
        """Give everything back; waiting callers are turned away."""
        for queue in self._queues.values():
            for place in queue:
                place.cancel()
        await stop_background(self._pump)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_PATIENCE)
        await stop_background(*self._tasks)

    def _next(self, slot: int) -> deque[asyncio.Future[int]] | None:
        """The queue whose head may have the slot."""
        for lane in ("interactive", "batch"):
            queue = self._queues[lane]
            while queue and queue[0].done():
                queue.popleft()
            if queue and (lane == "interactive" or slot >= self._reserve):
                return queue
        return None

    def _pass_on(self, slot: int) -> bool:
        queue = self._next(slot)
        if queue is None:
            return False
        queue.popleft().set_result(slot)
        return True

    async def _end_turn(self, slot: int) -> None:
        try:
            wanted = await self._locks.others_wait(self._space)
        except Unavailable:
            wanted = True
        if wanted:  # they look every so often: who asks again before they have looked leaves them nothing
            self._yielded_until[slot] = time.monotonic() + _POLL_SECONDS[1]
        else:
            self._since[slot] = time.monotonic()
        if wanted or not self._pass_on(slot):
            await self._return(slot)

    async def _return(self, slot: int) -> None:
        try:
            await self._locks.give(self._space, slot)
        except Unavailable:
            # The session has ended and released every lock.
            _log.warning("a call slot was not given back in order")
        self._since.pop(slot, None)
        self._wake()

    def _wake(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = run_background(self._name, self._serve)

    async def _serve(self) -> None:
        """Ask for slots until no caller waits in this process."""
        shown = False
        answered = time.monotonic()
        try:
            while self._queued("interactive") or self._queued("batch"):
                try:
                    filled = await self._fill()
                    answered = time.monotonic()
                    if filled:
                        continue
                    if not shown:
                        await self._locks.wait(self._space, waiting=True)
                        shown = True
                    pause = random.uniform(*_POLL_SECONDS)  # noqa: S311 - jitter
                except Unavailable as problem:
                    _log.warning("call slots cannot be asked for", reason=problem.detail)
                    if time.monotonic() - answered >= _PATIENCE:
                        self._refuse_waiters(problem)
                    pause = _BROKEN
                # No event reports another process's slot; our own are passed on without this task.
                await asyncio.sleep(pause)
        finally:
            if shown:
                self._spawn(self._hide)

    def _refuse_waiters(self, problem: Unavailable) -> None:
        """Refuse the waiting callers when calls in flight cannot be counted; none of their calls was sent."""
        for queue in self._queues.values():
            for place in queue:
                if not place.done():
                    wait, extra = problem.retry_after, problem.extra
                    place.set_exception(Unavailable(problem.detail, retry_after=wait, extra=extra))
            queue.clear()

    async def _hide(self) -> None:
        try:
            await self._locks.wait(self._space, waiting=False)
        except Unavailable:
            _log.debug("the session that showed our waiting is gone")

    async def _fill(self) -> bool:
        """Take free slots for the waiting callers; returns whether any was taken."""
        filled = False
        lanes: tuple[tuple[Lane, int], ...] = (("interactive", 0), ("batch", self._reserve))
        for lane, first in lanes:
            wanted = self._queued(lane)
            now = time.monotonic()
            free = [
                slot
                for slot in range(first, self._size)
                if slot not in self._since and self._yielded_until.get(slot, now) <= now
            ]
            if not wanted or not free:
                continue
            for slot in await self._locks.take(self._space, free, wanted):
                self._since[slot] = now
                filled = True
                if not self._pass_on(slot):
                    await self._return(slot)
        return filled

    def _queued(self, lane: Lane) -> int:
        return sum(not place.done() for place in self._queues[lane])

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        task = run_background(self._name, work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Slots:
    """The rings of a process, over one session of the database at `url`; without one they hold here only."""

    def __init__(self, url: str = "") -> None:
        self._locks: Locks = SlotLocks(url) if url else LocalLocks()
        self._pools: dict[str, SlotPool] = {}

    def pool(self, instance: str, size: int, reserve: int) -> SlotPool:
        if instance not in self._pools:
            self._pools[instance] = SlotPool(instance, size, reserve, self._locks)
        return self._pools[instance]

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()
        await self._locks.close()
