"""Leases: a shared limit taken in small batches, so that most calls need no request to the cache.

A batch counts in the window in which it was taken, and may be spent later. So a window admits at most the
limit and the rest of every worker's earlier batch: see docs/reference/limits.md.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from gateway.plans import Limit
from gateway.policies.rate_limit.window import Clock
from kit.telemetry import meter

AVOID_SECONDS = 1.0  # how long a cache that failed is not asked again
LOOK_SECONDS = (
    1.0  # the greatest age of the reported use of others, or a fifth of the window where that is less
)
_DENY_SECONDS = 0.05
_BOUND = 20  # the batches of all workers together are at most a twentieth of the limit
_local_shares = meter(__name__).create_counter(
    "enfilade.gateway.local_shares", description="Leases taken from the local share, the cache being away"
)


def batch_of(limit: int, workers: int, largest: int) -> int:
    """How much of a limit a worker takes at once: one call of a small limit."""
    return max(1, min(largest, limit // (_BOUND * workers)))


class LimitCounter(Protocol):
    """Counts a limit. Takes all of a cost or nothing, so that a refused batch uses no calls."""

    async def take(self, item: RateLimitItem, key: str, cost: int) -> bool: ...

    async def look(self, item: RateLimitItem, key: str) -> tuple[float, int]:
        """When the window's oldest batch leaves it (monotonic), and how much is left."""
        ...


class LocalCounters:
    """Counted in this process, against this worker's share of the limit."""

    def __init__(self, windows: MemoryStorage, workers: int) -> None:
        self._workers = workers
        self._limiter = MovingWindowRateLimiter(windows)

    async def take(self, item: RateLimitItem, key: str, cost: int) -> bool:
        return await self._limiter.hit(self._share(item), key, cost=cost)

    async def look(self, item: RateLimitItem, key: str) -> tuple[float, int]:
        stats = await self._limiter.get_window_stats(self._share(item), key)
        return stats.reset_time, stats.remaining

    def _share(self, item: RateLimitItem) -> RateLimitItem:
        return RateLimitItemPerSecond(max(1, item.amount // self._workers), item.get_expiry())


class SharedCounters:
    """Counts for all workers in the cache; in the local share while the cache does not answer."""

    def __init__(
        self,
        windows: RedisStorage | MemoryStorage,
        local: LocalCounters,
        note: Callable[[Exception], None],
        clock: Clock = time.monotonic,
    ) -> None:
        self._limiter = MovingWindowRateLimiter(windows)
        self._local = local
        self._note = note
        self._clock = clock
        self._avoid_until = float("-inf")

    async def take(self, item: RateLimitItem, key: str, cost: int) -> bool:
        if self._clock() >= self._avoid_until:
            try:
                return await self._limiter.hit(item, key, cost=cost)
            except (StorageError, OSError) as error:
                self._avoid(error)
        _local_shares.add(1)
        return await self._local.take(item, key, cost)

    async def look(self, item: RateLimitItem, key: str) -> tuple[float, int]:
        if self._clock() >= self._avoid_until:
            try:
                stats = await self._limiter.get_window_stats(item, key)
            except (StorageError, OSError) as error:
                self._avoid(error)
            else:
                return stats.reset_time, stats.remaining
        return await self._local.look(item, key)

    def _avoid(self, error: Exception) -> None:
        self._avoid_until = self._clock() + AVOID_SECONDS
        self._note(error)


class Lease:
    """One consumer's part of one limit in this worker."""

    __slots__ = (
        "_batch",
        "_clock",
        "_counters",
        "_denied_until",
        "_fresh",
        "_item",
        "_key",
        "_lock",
        "_remaining",
        "_reset",
        "left",
        "limit",
        "until",
    )

    def __init__(
        self, counters: LimitCounter, limit: Limit, key: str, batch: int, clock: Clock = time.monotonic
    ) -> None:
        self.limit = limit
        self.left = 0
        self.until = float("-inf")
        self._counters = counters
        self._batch = batch
        self._clock = clock
        self._item = RateLimitItemPerSecond(limit.requests, limit.seconds, namespace="ENFILADE")
        self._key = f"{key}:{limit.name}"
        self._fresh = min(LOOK_SECONDS, limit.seconds / 5)
        self._remaining = 0
        self._reset = 0.0
        self._denied_until = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def policy(self) -> str:
        """This limit's item of the RateLimit-Policy field."""
        return f'"{self.limit.name}";q={self.limit.requests};w={self.limit.seconds}'

    def ready(self, now: float) -> bool:
        """Whether a request may be spent locally, and the known use of others is recent enough."""
        return self.left > 0 and now < self.until

    async def refill(self) -> bool:
        """Take a new batch, or refresh what others left; False when the limit is reached."""
        if self._denied_until > self._clock():
            return False
        async with self._lock:  # one refill per consumer and worker; concurrent callers share it
            if self.ready(self._clock()):
                return True
            if self._denied_until > self._clock():
                return False
            if not self.left:
                self.left = await self._take()
            elif self._clock() >= self.until:
                await self._look()
            return self.left > 0

    async def _take(self) -> int:
        """The size of the batch taken: as much as is left, zero when nothing is."""
        cost = self._batch
        if await self._counters.take(self._item, self._key, cost):
            await self._learn(cost)
            return cost
        await self._look()
        cost = min(cost - 1, self._remaining)
        if cost > 0 and await self._counters.take(self._item, self._key, cost):
            self._remaining -= cost
            return cost
        self._denied_until = self._clock() + _DENY_SECONDS
        return 0

    async def _learn(self, taken: int) -> None:
        """Update what is left for all, by calculation while the last answer is recent."""
        if self._clock() < self.until and self._remaining >= taken:
            self._remaining -= taken
        else:
            await self._look()

    async def _look(self) -> None:
        now = self._clock()
        self._reset, self._remaining = await self._counters.look(self._item, self._key)
        self.until = now + self._fresh

    def field(self, now: float) -> str:
        """This limit's item of the RateLimit field: what is left locally and, at the last poll, elsewhere."""
        left = min(self.limit.requests, self.left + self._remaining)
        return f'"{self.limit.name}";r={left};t={self.wait(now)}'

    def refused(self, now: float) -> str:
        """The item when the limit is reached."""
        return f'"{self.limit.name}";r=0;t={self.wait(now)}'

    def wait(self, now: float) -> int:
        """Whole seconds until the limit gives more."""
        return min(self.limit.seconds, max(1, int(self._reset - now + 0.999)))
