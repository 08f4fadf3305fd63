"""Storages for the moving-window strategy of limits: whole batches, on a clock that all workers share.

The library's own storages write an entry per request, by the worker's own clock, and run timers.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from limits.aio.storage import MemoryStorage, RedisStorage

from gateway.window import Window
from kit.cache import Cache

Clock = Callable[[], float]

_SCRIPT = (Path(__file__).parent / "window.lua").read_text(encoding="utf-8")


class LocalWindows(MemoryStorage):
    """In this process, by its monotonic clock."""

    STORAGE_SCHEME: list[str] | None = None

    def __init__(self, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[str, Window] = {}

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        window, now = self._current(key, expiry)
        return window.take(now, amount, limit)

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        window, now = self._current(key, expiry)
        return (now if window.start is None else window.start), window.sum

    def _current(self, key: str, expiry: int) -> tuple[Window, float]:
        now = self._clock()
        window = self._windows.setdefault(key, Window())
        window.forget(now - expiry)
        return window, now


class SharedWindows(RedisStorage):
    """In the cache, by its clock. A window's start is converted to this process's monotonic time."""

    STORAGE_SCHEME: list[str] | None = None

    def __init__(self, cache: Cache) -> None:
        super().__init__(
            "redis://localhost:6379",
            implementation="redispy",
            wrap_exceptions=True,
            connection_pool=cache.client.connection_pool,  # pyright: ignore[reportArgumentType] - it knows the address
        )
        self._script = cache.client.register_script(_SCRIPT)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        taken, _, _ = await self._ask(key, limit, expiry, amount)
        return bool(taken)

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        _, count, age = await self._ask(key, limit, expiry, 0)
        return time.monotonic() - age / 1000, count

    async def _ask(self, key: str, limit: int, expiry: int, amount: int) -> Any:
        keys = [f"enfilade:{{{key}}}:batches", f"enfilade:{{{key}}}:sum"]
        return await self._script(keys=keys, args=[limit, expiry * 1000, amount])
