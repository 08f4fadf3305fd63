"""Calls per window of time, counted in the shared cache; while it is away, in this process alone."""

import asyncio
import random

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from kit.cache import Cache


class Rate:
    """So many calls in each window of `seconds` for one allowance."""

    def __init__(self, allowance: str, calls: int, cache: Cache | None, seconds: int = 1) -> None:
        self._item = RateLimitItemPerSecond(calls, seconds)
        self._allowance = allowance
        self._cache = cache
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared = (
            SlidingWindowCounterRateLimiter(
                RedisStorage(
                    "async+redis://",  # the address is the pool's
                    implementation="redispy",
                    connection_pool=cache.client.connection_pool,  # pyright: ignore[reportArgumentType]
                )
            )
            if cache is not None
            else None
        )
        self._pause = seconds / calls

    async def wait(self) -> None:
        """Return once a call may go."""
        while not await self._hit():  # noqa: ASYNC110 - other processes count, too
            # The window slides with time alone: nothing could wake us earlier.
            await asyncio.sleep(self._pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    async def _hit(self) -> bool:
        shared = await self._shared_hit()
        if shared is False:
            return False
        # Also counted here, so that losing the cache does not reset the window.
        here = await self._here.hit(self._item, "vendor", self._allowance)
        return here if shared is None else True

    async def _shared_hit(self) -> bool | None:
        """None without an answer."""
        if self._shared is None or self._cache is None:
            return None
        try:
            return await self._shared.hit(self._item, "vendor", self._allowance)
        except (RedisError, OSError) as error:
            self._cache.count("vendor rate", error)
            return None
