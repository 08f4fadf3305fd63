"""The call budget of one instance: a call that would exceed an allowance of the vendor waits here."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from contracts.problems import DeadlineExceeded, VendorUnavailable
from kit import context
from kit.cache import Cache
from kit.http.allowance import Allowance
from kit.http.limits import AllowanceLimits, Limits
from kit.http.rate import Rate
from kit.http.slots import Slots

T = TypeVar("T")

_POLL_SECONDS = 0.03  # seconds between two polls of an allowance whose state is unknown


class Turn:
    """One call's turn; the vendor's count, if its answer has one, goes into `reported` as (used, maximum)."""

    reported: tuple[int, int] | None = None


class Counter:
    """What one allowance has left: slots, calls per second or window, calls per day.

    A limit that the vendor does not set is absent.
    """

    def __init__(self, name: str, limits: AllowanceLimits, slots: Slots, cache: Cache | None) -> None:
        self.name = name
        self.limits = limits
        self._pool = (
            slots.pool(name, limits.concurrency, limits.reserve_interactive) if limits.concurrency else None
        )
        self._rates = [
            Rate(key, calls, cache, seconds)
            for key, calls, seconds in (
                (name, limits.per_second, 1),
                (f"{name}:window", limits.per_window, limits.window_seconds),
            )
            if calls
        ]
        self._allowance = Allowance(name, limits, cache) if limits.daily else None

    @asynccontextmanager
    async def turn(self, instance: str, turn: Turn) -> AsyncIterator[None]:
        """Wait until a call of an instance may go; raises VendorUnavailable, Unavailable."""
        lane = context.current().lane
        pool = self._pool
        slot = await _in_time(instance, lambda: pool.take(lane)) if pool else None
        try:
            call = await _in_time(instance, lambda: self._allowed(instance, lane == "interactive"))
            try:
                for rate in self._rates:
                    await _in_time(instance, rate.wait)
                yield
            finally:
                if self._allowance and call:
                    await self._allowance.report(call, turn.reported)
        finally:
            if pool and slot is not None:
                pool.give(slot)

    async def _allowed(self, instance: str, interactive: bool) -> str:
        if self._allowance is None:
            return ""
        while True:
            verdict, call = await self._allowance.take(interactive=interactive)
            if verdict == "go":
                return call
            if verdict == "used_up":
                raise VendorUnavailable(
                    f"the daily allowance of {self.name} is used up"
                    + ("" if interactive else ", except the reserve for people"),
                    instance=instance,
                    retry_after=self.limits.recheck_seconds,
                )
            await asyncio.sleep(_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter


class Counters:
    """The counters of a process by the names of their allowances: who shares a name shares the counter."""

    def __init__(self, slots: Slots | None = None, cache: Cache | None = None) -> None:
        self._slots = slots or Slots()
        self._cache = cache
        self._by_name: dict[str, Counter] = {}

    def counter(self, name: str, limits: AllowanceLimits) -> Counter:
        """The counter of an allowance, made when first asked for."""
        if name not in self._by_name:
            self._by_name[name] = Counter(name, limits, self._slots, self._cache)
        return self._by_name[name]


class Budget:
    """The allowances from which the calls of an instance take.

    Every call takes from the general one, which instances of one `allowance` (an org, a tenant) share; a call
    that names others (a search) takes from those of `named` as well, each with limits of its own.
    """

    def __init__(
        self,
        instance: str,
        limits: Limits,
        *,
        allowance: str = "",
        named: Mapping[str, AllowanceLimits] | None = None,
        slots: Slots | None = None,
        cache: Cache | None = None,
        counters: Counters | None = None,
    ) -> None:
        self.instance = instance
        self.limits = limits
        counters = counters or Counters(slots, cache)
        key = allowance or instance
        self._general = counters.counter(key, limits)
        self._named = {
            name: counters.counter(f"{key}/{name}", each) for name, each in sorted((named or {}).items())
        }

    @asynccontextmanager
    async def turn(self, names: Iterable[str] = ()) -> AsyncIterator[Turn]:
        """Wait until a call may go, for as long as the caller has; raises VendorUnavailable, Unavailable."""
        turn = Turn()
        wanted = frozenset(names)
        async with AsyncExitStack() as stack:
            # In one order everywhere: two calls that need two allowances never wait for each other.
            for name, counter in self._named.items():
                if name in wanted:
                    await stack.enter_async_context(counter.turn(self.instance, Turn()))
            await stack.enter_async_context(self._general.turn(self.instance, turn))
            yield turn


async def _in_time(instance: str, wait: Callable[[], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(context.remaining()):
            return await wait()
    except (TimeoutError, DeadlineExceeded):
        # Nothing was sent: the caller may come again without a doubt.
        raise VendorUnavailable(
            f"no call to {instance} was free in time", instance=instance, retry_after=1
        ) from None
