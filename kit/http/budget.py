"""The call budget of one vendor account: a call that would exceed it waits here."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from contracts.problems import DeadlineExceeded, VendorUnavailable
from kit import context
from kit.cache import Cache
from kit.http.allowance import Allowance
from kit.http.limits import Limits
from kit.http.rate import Rate
from kit.http.slots import Slots

T = TypeVar("T")

_POLL_SECONDS = 0.03  # seconds between two looks at an allowance of which nothing is known yet


class Turn:
    """One call's turn; the vendor's count, if its answer has one, goes into `reported` as (used, maximum)."""

    reported: tuple[int, int] | None = None


class Budget:
    """Slots, calls per second and a daily allowance. A limit that the vendor does not set is absent."""

    def __init__(
        self, instance: str, limits: Limits, *, slots: Slots | None = None, cache: Cache | None = None
    ) -> None:
        self.instance = instance
        self.limits = limits
        self._pool = (
            (slots or Slots()).pool(instance, limits.concurrency, limits.reserve_interactive)
            if limits.concurrency
            else None
        )
        self._rate = Rate(instance, limits.per_second, cache) if limits.per_second else None
        self._allowance = Allowance(instance, limits, cache) if limits.daily else None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait until a call may go, for as the caller has time; raises VendorUnavailable, Unavailable."""
        turn = Turn()
        lane = context.current().lane
        slot = await self._in_time(lambda pool=self._pool: pool.take(lane)) if self._pool else None
        try:
            call = await self._in_time(lambda: self._allowed(interactive=lane == "interactive"))
            try:
                if self._rate:
                    await self._in_time(self._rate.wait)
                yield turn
            finally:
                if self._allowance and call:
                    await self._allowance.report(call, turn.reported)
        finally:
            if self._pool and slot is not None:
                self._pool.give(slot)

    async def _allowed(self, *, interactive: bool) -> str:
        if self._allowance is None:
            return ""
        while True:
            verdict, call = await self._allowance.take(interactive=interactive)
            if verdict == "go":
                return call
            if verdict == "used_up":
                raise VendorUnavailable(
                    f"the daily allowance of {self.instance} is used up"
                    + ("" if interactive else ", but for what is kept for people"),
                    instance=self.instance,
                    retry_after=self.limits.recheck_seconds,
                )
            await asyncio.sleep(_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    async def _in_time(self, wait: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(context.remaining()):
                return await wait()
        except (TimeoutError, DeadlineExceeded):
            # Nothing was sent: the caller may come again without a doubt.
            raise VendorUnavailable(
                f"no call to {self.instance} was free in time", instance=self.instance, retry_after=1
            ) from None
