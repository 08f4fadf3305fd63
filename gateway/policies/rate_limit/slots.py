"""Slots: concurrent calls of one consumer, leased so that most calls need no request to the cache.

The slots of a worker that dies expire, since it no longer renews them.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

from gateway.policies.rate_limit.window import Clock
from kit.background import run_background, stop_background
from kit.cache import Cache

LIVE_SECONDS = 10.0  # slots that are not renewed expire after so long
_AVOID_SECONDS = 1.0  # how long a cache that failed is not asked again
_SCRIPT = (Path(__file__).parent / "slots.lua").read_text(encoding="utf-8")


class SlotStore:
    """The slots of every worker, in the cache."""

    def __init__(self, cache: Cache, worker: str, live_seconds: float = LIVE_SECONDS) -> None:
        self.live_seconds = live_seconds
        self._cache = cache
        self._worker = worker
        self._avoid_until = float("-inf")
        self._script = cache.client.register_script(_SCRIPT)

    async def hold(self, key: str, wanted: int, limit: int) -> int | None:
        """How many of the wanted slots this worker holds now; None when the cache does not answer."""
        if time.monotonic() < self._avoid_until:
            return None
        keys = [f"enfilade:{{{key}}}:slots"]
        arguments = [self._worker, wanted, limit, int(self.live_seconds * 1000)]

        def ask(_: Any) -> Any:
            return self._script(keys=keys, args=arguments)

        held = await self._cache.ask("slots", ask, otherwise=None)
        if held is None:
            self._avoid_until = time.monotonic() + _AVOID_SECONDS
        return held


class ConsumerSlots:
    """One consumer's calls under way in this worker, and the slots that it holds for them.

    Without the cache each worker has its share of the limit.
    """

    def __init__(
        self, store: SlotStore | None, key: str, limit: int, workers: int, clock: Clock = time.monotonic
    ) -> None:
        self.in_flight = 0
        self.held = 0
        self.limit = limit
        self._store = store
        self._key = key
        self._workers = workers
        self._clock = clock
        self._until = float("-inf")
        self._peak = 0
        self._lock = asyncio.Lock()
        self._giving: asyncio.Task[None] | None = None

    @property
    def policy(self) -> str:
        """The limit's item of the RateLimit-Policy field."""
        return f'"concurrency";q={self.limit};qu="concurrent-requests"'

    def field(self) -> str:
        """The limit's item of the RateLimit field: the slots that are free here."""
        return f'"concurrency";r={max(0, self.held - self.in_flight)}'

    def ready(self, now: float) -> bool:
        """Whether a call may start on the slots held locally."""
        return self.in_flight < self.held and now < self._until

    def enter(self) -> None:
        """Count a call that starts."""
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)

    def leave(self) -> None:
        """Count a call that has ended, and return slots that this worker does not need."""
        self.in_flight -= 1
        spare = self._spare()
        if self.held - self.in_flight > 2 * spare and (self._giving is None or self._giving.done()):
            self._giving = run_background("returning of slots", lambda: self._hold(spare))

    async def refill(self) -> bool:
        """Hold more slots; False when there are none."""
        async with self._lock:
            if not self.ready(self._clock()):
                await self._ask(min(self.limit, self.in_flight + 1 + self._spare()))
            return self.in_flight < self.held

    async def renew(self) -> None:
        """Renew the slots in use since the last renewal, and return the rest."""
        if self.held or self.in_flight:
            idle, self._peak = max(0, self._peak - self.in_flight), self.in_flight
            await self._hold(idle)

    async def close(self) -> None:
        """Return all slots."""
        await stop_background(self._giving)
        if self.held and self._store is not None:
            await self._store.hold(self._key, 0, self.limit)

    def _spare(self) -> int:
        """How many free slots a worker holds: those of all workers are at most a quarter of the limit."""
        return self.limit // (4 * self._workers)

    async def _hold(self, spare: int) -> None:
        async with self._lock:
            # Reduced before the request: a slot must not be used once the cache may have reassigned it.
            wanted = min(self.limit, self.in_flight + spare)
            self.held = min(self.held, wanted)
            await self._ask(wanted)

    async def _ask(self, wanted: int) -> None:
        now = self._clock()
        held = await self._store.hold(self._key, wanted, self.limit) if self._store is not None else None
        if held is None:
            held = max(1, self.limit // self._workers)
        self.held = held
        # From before the request: the lease starts when the cache grants it, not when the answer arrives.
        self._until = now + (self._store.live_seconds if self._store is not None else float("inf"))
