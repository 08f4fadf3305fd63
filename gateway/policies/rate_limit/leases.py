"""Leases: a shared limit taken in small batches, so that most calls ask nobody.

A batch counts in the window in which it was taken and holds until that window ends. So the limit is passed
or missed by at most workers x batch per window; below about twenty per window the batch is one, and exact.
"""

import asyncio
import time
from typing import Protocol

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from gateway.plans import Limit
from kit.cache import Cache
from kit.telemetry import meter

_DENY_SECONDS = 0.05
_AVOID_SECONDS = 1.0  # how long a cache that failed is not asked again
_LOOK_SECONDS = 0.2  # how old may be what we tell of others' use
_local_shares = meter(__name__).create_counter(
    "enfilade.gateway.local_shares", description="Leases taken from the local share, the cache being away"
)


class Counters(Protocol):
    """Where a limit is counted. Takes all of a cost or nothing, so that a refused batch burns nothing."""

    async def take(self, item: RateLimitItem, key: str, cost: int) -> bool: ...

    async def look(self, item: RateLimitItem, key: str) -> tuple[float, int]: ...


class LocalCounters:
    """Counted in this process, against this worker's share of the limit."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def take(self, item: RateLimitItem, key: str, cost: int) -> bool:
        return await self._limiter.hit(self._share(item), key, cost=cost)

    async def look(self, item: RateLimitItem, key: str) -> tuple[float, int]:
        stats = await self._limiter.get_window_stats(self._share(item), key)
        return stats.reset_time, stats.remaining

    def _share(self, item: RateLimitItem) -> RateLimitItem:
        return RateLimitItemPerSecond(max(1, item.amount // self._workers), item.get_expiry())


class SharedCounters:
    """Counted in the cache for all workers; in the local share while the cache does not answer."""

    def __init__(self, cache: Cache, workers: int) -> None:
        storage = RedisStorage(
            "async+redis://localhost:6379",
            implementation="redispy",
            wrap_exceptions=True,
            connection_pool=cache.client.connection_pool,  # pyright: ignore[reportArgumentType] - it knows the address
        )
        self._cache = cache
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._local = LocalCounters(workers)
        self._avoid_until = 0.0

    async def take(self, item: RateLimitItem, key: str, cost: int) -> bool:
        if time.monotonic() >= self._avoid_until:
            try:
                return await self._limiter.hit(item, key, cost=cost)
            except StorageError as error:
                self._note(error)
            except OSError as error:
                self._note(error)
        _local_shares.add(1)
        return await self._local.take(item, key, cost)

    async def look(self, item: RateLimitItem, key: str) -> tuple[float, int]:
        if time.monotonic() >= self._avoid_until:
            try:
                stats = await self._limiter.get_window_stats(item, key)
            except StorageError as error:
                self._note(error)
            except OSError as error:
                self._note(error)
            else:
                return stats.reset_time, stats.remaining
        return await self._local.look(item, key)

    def _note(self, error: Exception) -> None:
        self._avoid_until = time.monotonic() + _AVOID_SECONDS
        self._cache.count("rate limit", error)


class Lease:
    """One consumer's part of one limit in this worker."""

    __slots__ = (
        "_batch",
        "_counters",
        "_denied_until",
        "_item",
        "_key",
        "_lock",
        "_looked_at",
        "_remaining",
        "_reset",
        "left",
        "limit",
        "until",
    )

    def __init__(self, counters: Counters, limit: Limit, consumer: str, batch: int) -> None:
        self.limit = limit
        self.left = 0
        self.until = 0.0
        self._counters = counters
        self._batch = batch
        self._item = RateLimitItemPerSecond(limit.requests, limit.seconds, namespace="ENFILADE")
        self._key = f"{consumer}:{limit.name}"
        self._remaining = 0
        self._reset = 0.0
        self._denied_until = 0.0
        self._looked_at = float("-inf")
        self._lock = asyncio.Lock()

    def ready(self, now: float) -> bool:
        """Whether a request may be spent without asking anybody."""
        return self.left > 0 and now < self.until

    async def refill(self) -> bool:
        """Take a new batch; False when the limit is reached."""
        now = time.monotonic()
        if self._denied_until > now:
            return False
        async with self._lock:  # one refill per consumer and worker; the others find it done
            if self.ready(time.monotonic()) or self._denied_until > time.monotonic():
                return self.left > 0
            return await self._take()

    async def _take(self) -> bool:
        cost = self._batch
        while cost:
            if await self._counters.take(self._item, self._key, cost):
                break
            cost //= 2  # near the end the last requests are exact
        await self._look(cost)
        self.left = cost
        self.until = time.monotonic() + self.limit.seconds
        if not cost:
            self._denied_until = time.monotonic() + _DENY_SECONDS
        return cost > 0

    async def _look(self, taken: int) -> None:
        """Learn what is left for all, or reckon it from what was known a moment ago."""
        now = time.monotonic()
        if taken and now - self._looked_at < min(_LOOK_SECONDS, self.limit.seconds / 2) and self._remaining:
            self._remaining = max(0, self._remaining - taken)
            return
        reset, self._remaining = await self._counters.look(self._item, self._key)
        self._looked_at = now
        self._reset = now + min(max(reset - time.time(), 0.0), self.limit.seconds)

    def field(self, now: float) -> str:
        """This limit's item of the RateLimit field: what is left here and was left elsewhere."""
        return f'"{self.limit.name}";r={self.left + self._remaining};t={self.wait(now)}'

    def wait(self, now: float) -> int:
        """Whole seconds until the limit gives more."""
        return max(1, int(self._reset - now + 0.999))
