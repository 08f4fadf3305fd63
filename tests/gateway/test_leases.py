"""tests/gateway: the bounds of docs/reference/limits.md: many workers, skewed clocks, a store that goes."""

import asyncio
import random
import re
import time
from bisect import bisect_left

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import RateLimitItemPerSecond
from limits.errors import StorageError

from gateway.plans import Limit, Plan
from gateway.plans.usage import Tally
from gateway.policies.rate_limit.allowances import PlanAllowance
from gateway.policies.rate_limit.leases import (
    LOOK_SECONDS,
    Lease,
    LocalCounters,
    SharedCounters,
    batch_of,
)
from gateway.policies.rate_limit.window import LocalWindows, SharedWindows
from kit.cache import Cache

WINDOW = 10


class Sky:
    """True time, and everybody's own idea of it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self, offset: float = 0.0, rate: float = 1.0):
        return lambda: offset + self.now * rate


class Store(LocalWindows):
    """The shared store of the simulation: it can go away, and come back empty."""

    STORAGE_SCHEME = None

    def __init__(self, sky: Sky) -> None:
        super().__init__(sky.clock())
        self.away = False
        self.used_away = False

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        await self._reach()
        return await super().acquire_entry(key, limit, expiry, amount)

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        await self._reach()
        return await super().get_moving_window(key, limit, expiry)

    async def _reach(self) -> None:
        await asyncio.sleep(0)  # others have their turn meanwhile
        if self.away:
            raise StorageError(OSError("away"))

    def wipe(self) -> None:
        self._windows.clear()


class Worker:
    """One process: its own clock, its own leases, the shared store."""

    def __init__(
        self, sky: Sky, store: Store, limits: tuple[Limit, ...], many: int, skew: float, rate: float
    ):
        self.clock = sky.clock(skew, rate)
        local = LocalCounters(LocalWindows(self.clock), many)
        counters = SharedCounters(store, local, lambda _: None, self.clock)
        leases = [
            Lease(counters, limit, "c:a", batch_of(limit.requests, many, 64), self.clock) for limit in limits
        ]
        self.allowance = PlanAllowance(Plan(limits=limits), tuple(leases), None, Tally())

    async def call(self) -> bool:
        """As the policy does it."""
        while not self.allowance.spend(self.clock()):
            if await self.allowance.refill(self.clock()) is not None:
                return False
        return True

    def told(self) -> int:
        found = re.match(rb'"[a-z]+";r=(\d+);t=(\d+)', self.allowance.fields(self.clock()))
        assert found is not None
        assert 1 <= int(found[2]) <= WINDOW
        return int(found[1])


class Log:
    """When calls were admitted."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.times: list[float] = []

    def fullest(self, seconds: float) -> int:
        """The most that any window holds."""
        return max((self._upto(start + seconds) - index for index, start in enumerate(self.times)), default=0)

    def truth(self, now: float) -> int:
        """What is left of the limit at an instant, of the window that ends there."""
        return self.limit - (self._upto(now) - bisect_left(self.times, now - WINDOW))

    def best_truth(self, now: float, seconds: float) -> int:
        """The most that was left at any instant of the last seconds; it falls with admissions only."""
        first = bisect_left(self.times, now - seconds)
        earlier = [
            self.limit - (index - bisect_left(self.times, self.times[index] - WINDOW))
            for index in range(first, len(self.times))
        ]
        return max([self.truth(now), *earlier])

    def _upto(self, instant: float) -> int:
        return bisect_left(self.times, instant + 1e-9)


def worlds(*events: str):
    step = st.tuples(
        st.floats(0, 3),
        st.lists(st.integers(0, 4), min_size=1, max_size=25),
        st.sampled_from(("calls", *events)),
    )
    return st.fixed_dictionaries(
        {
            "limit": st.integers(1, 400),
            "skews": st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5),
            "rate": st.floats(0.999, 1.001),
            "steps": st.lists(step, max_size=30),
        }
    )


async def live(world: dict, *, check_told: bool = False) -> tuple[Log, int, Store, int]:
    """Run a world; its log of admissions, the workers' number, the store, and how often it was wiped."""
    sky, log, wipes = Sky(), Log(world["limit"]), 0
    store, many = Store(sky), len(world["skews"])
    limits = (Limit("burst", world["limit"], WINDOW),)
    workers = [Worker(sky, store, limits, many, skew, world["rate"]) for skew in world["skews"]]

    async def call(worker: Worker) -> None:
        if await worker.call():
            log.times.append(sky.now)

    for seconds, callers, event in world["steps"]:
        sky.now += seconds
        if event == "away":
            store.away = not store.away
            store.used_away = True
        elif event == "wipe":
            store.wipe()
            wipes += 1
        for caller in callers:
            worker = workers[caller % many]
            await asyncio.gather(*(call(worker) for _ in range(4)))
            if check_told:
                stale = min(LOOK_SECONDS, WINDOW / 5) * 1.01
                bound = many * batch_of(log.limit, many, 64)
                assert worker.told() <= max(0, log.best_truth(sky.now, stale)) + bound
    return log, many, store, wipes


@given(world=worlds())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_window_holds_more_than_the_limit_and_the_bound(world: dict):
    """However calls come and clocks differ, any window holds at most the limit and a batch per worker."""
    log, many, _, _ = asyncio.run(live(world))
    bound = many * batch_of(log.limit, many, 64)
    assert log.fullest(WINDOW) <= log.limit + bound
    assert bound <= max(many, log.limit // 20)


@given(world=worlds("away", "wipe"))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_store_that_goes_costs_a_limit_at_most_and_so_does_one_that_forgets(world: dict):
    """Local shares add one limit to a window in which the store was away, and each loss of memory another."""
    log, many, store, wipes = asyncio.run(live(world))
    bound = many * batch_of(log.limit, many, 64)
    shares = max(many, log.limit) if store.used_away else 0
    assert log.fullest(WINDOW) <= log.limit * (1 + wipes) + shares + bound


@given(world=worlds())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_told_never_exceeds_the_truth_by_more_than_the_bound(world: dict):
    """`r` is at most what was left a second ago or since, and a batch per worker."""
    asyncio.run(live(world, check_told=True))


@given(
    limit=st.integers(1, 300),
    workers=st.integers(1, 5),
    orders=st.lists(st.integers(0, 4), min_size=1, max_size=60),
)
@settings(max_examples=60, deadline=None)
def test_little_of_the_limit_is_left_lying(limit: int, workers: int, orders: list[int]):
    """Who is refused everywhere has had the limit but for what other workers hold of their batches."""

    async def run() -> int:
        sky = Sky()
        store = Store(sky)
        found = [
            Worker(sky, store, (Limit("burst", limit, WINDOW),), workers, 0.0, 1.0) for _ in range(workers)
        ]
        admitted = sum([await found[order % workers].call() for order in orders])
        last = found[orders[-1] % workers]
        while await last.call():
            admitted += 1
        return admitted

    admitted = asyncio.run(run())
    assert limit - (workers - 1) * (batch_of(limit, workers, 64) - 1) <= admitted <= limit


@given(
    small=st.integers(1, 30),
    large=st.integers(1, 200),
    workers=st.integers(1, 3),
    orders=st.lists(st.integers(0, 2), max_size=150),
)
@settings(max_examples=60, deadline=None)
def test_a_refusal_costs_nothing_of_any_limit(small: int, large: int, workers: int, orders: list[int]):
    """Calls that one limit refuses leave the other as it was (tyk#1876, #3102)."""

    async def run() -> None:
        sky = Sky()
        store = Store(sky)
        limits = (Limit("large", large, WINDOW), Limit("small", small, WINDOW))
        found = [Worker(sky, store, limits, workers, 0.0, 1.0) for _ in range(workers)]
        admitted = sum([await found[order % workers].call() for order in orders])
        key = RateLimitItemPerSecond(large, WINDOW, namespace="ENFILADE").key_for("c:a:large")
        _, taken = await store.get_moving_window(key, large, WINDOW)
        held = sum(worker.allowance.metered[0].left for worker in found)
        assert admitted == taken - held

    asyncio.run(run())


@pytest.fixture
async def cache(cache_url: str):
    found = Cache(cache_url, timeout=2)
    yield found
    await found.close()


@pytest.mark.parametrize("seed", range(3))
async def test_the_script_counts_as_the_model_does(cache: Cache, seed: int):
    """Valkey and the store of the simulations admit the same batches and tell the same rest."""
    chance, key = random.Random(seed), f"model-{seed}"  # noqa: S311 - data, not secrets
    script, model = SharedWindows(cache), LocalWindows()
    for _ in range(80):
        amount, limit = chance.randint(1, 9), chance.choice((60, 200))
        told = [await one.acquire_entry(key, limit, 3600, amount) for one in (script, model)]
        left = [(await one.get_moving_window(key, limit, 3600))[1] for one in (script, model)]
        assert told[0] is told[1]
        assert left[0] == left[1]


async def test_a_real_store_holds_the_limit_in_every_real_window(cache: Cache):
    """Three workers with clocks of their own, hammering Valkey over several windows of a second."""
    limit, many, log = Limit("burst", 120, 1), 3, Log(120)
    local = LocalCounters(LocalWindows(), many)
    counters = SharedCounters(SharedWindows(cache), local, lambda _: None)
    batch = batch_of(limit.requests, many, 64)

    def worker(skew: float):
        clock = lambda: time.monotonic() + skew  # noqa: E731 - one worker's idea of the time
        lease = Lease(counters, limit, "hammered", batch, clock)
        return PlanAllowance(Plan(limits=(limit,)), (lease,), None, Tally()), clock

    async def hammer(skew: float) -> None:
        allowance, clock = worker(skew)
        ends = time.monotonic() + 2.3
        while time.monotonic() < ends:
            if allowance.spend(clock()):
                log.times.append(time.monotonic())
            elif await allowance.refill(clock()) is not None:
                await asyncio.sleep(0.005)

    await asyncio.gather(*(hammer(skew) for skew in (0.0, 1e5, -1e5)))
    log.times.sort()
    assert log.fullest(1.0) <= limit.requests + many * batch
    assert len(log.times) >= 2 * limit.requests - many * batch
