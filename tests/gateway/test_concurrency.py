"""tests/gateway: how many calls of one consumer may be under way at once."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan
from gateway.policies.rate_limit.slots import ConsumerSlots, SlotStore
from kit.cache import Cache
from tests.gateway.deployment import Deployment, problem


@pytest.fixture
async def cache(cache_url: str):
    found = Cache(cache_url, timeout=2)
    yield found
    await found.close()


def deployment_with(folder: Path, concurrency: int, **more: Any) -> Deployment:
    plan = Plan(limits=(Limit("burst", 100_000, 60),), concurrency=concurrency)
    settings = GatewaySettings(plans={"standard": plan})
    return Deployment(folder, settings, {"ci": Consumer(title="CI", scopes=("*.*.*",))}, **more)


async def test_calls_at_once_are_bounded_and_the_next_is_429(keys_folder: Path):
    """The call too many is refused at once, costs no token, and passes when another has ended."""
    deployment = deployment_with(keys_folder, 2)
    deployment.tier.gate = asyncio.Event()
    calls = [asyncio.create_task(deployment.place(f"at-once-{number:06}")) for number in range(3)]
    (done,), waiting = await asyncio.wait(calls, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    refused = done.result()
    found = problem(refused, 429, "too_many_requests")
    assert found["violated-policies"] == ["concurrency"]
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-policy"].endswith('"concurrency";q=2;qu="concurrent-requests"')
    assert refused.headers["ratelimit"].endswith('"concurrency";r=0')
    assert '"burst";r=99998;' in refused.headers["ratelimit"]
    deployment.tier.gate.set()
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [202, 202]
    assert (await deployment.place("at-once-after")).status_code == 202


async def test_a_call_that_fails_gives_its_slot_back(keys_folder: Path):
    """Problems, unforeseen failures and deadlines end a call as success does."""
    deployment = deployment_with(keys_folder, 1)
    for path in ("orders/gone", "broken", "slow", "orders/o-1"):
        answer = await deployment.call("GET", f"/experience/shop/v1/{path}")
        assert answer.status_code in (404, 500, 504, 200)
    assert answer.status_code == 200


@pytest.mark.parametrize(("limit", "workers"), [(1, 3), (8, 2), (30, 3)])
async def test_workers_together_never_exceed_the_limit(cache: Cache, limit: int, workers: int):
    """Whatever order calls begin and end in, and few are refused while there is room."""
    chance = random.Random(limit)  # noqa: S311 - data, not secrets
    key = f"together-{limit}"
    found = [ConsumerSlots(SlotStore(cache, f"w{n}"), key, limit, workers) for n in range(workers)]
    spare = limit // (4 * workers)
    busiest = 0
    for _ in range(400):
        slots = chance.choice(found)
        total = sum(each.in_flight for each in found)
        if slots.in_flight and chance.random() < 0.45:
            slots.leave()
            await asyncio.gather(*(each._giving for each in found if each._giving))
        elif slots.ready(slots._clock()) or await slots.refill():
            slots.enter()
        else:
            assert total + 2 * spare * (workers - 1) >= limit
        busiest = max(busiest, sum(each.in_flight for each in found))
        assert sum(each.in_flight for each in found) <= limit
    assert busiest >= limit - 2 * spare * workers
    for each in found:
        await each.close()


async def test_a_dead_workers_slots_come_back(cache: Cache):
    """Who no longer renews loses its slots; who renews keeps them."""
    dead = ConsumerSlots(SlotStore(cache, "dead", live_seconds=0.2), "dying", 4, 1)
    alive = ConsumerSlots(SlotStore(cache, "alive"), "dying", 4, 1)
    for _ in range(4):
        assert await dead.refill()
        dead.enter()
    assert not await alive.refill()
    async with asyncio.timeout(10):
        while not await alive.refill():
            pass
    alive.enter()
    assert not dead.ready(dead._clock())
    await alive.renew()
    await dead.renew()
    assert dead.held == 3
    await alive.close()
    await dead.close()


async def test_idle_slots_go_back_with_the_next_renewal(cache: Cache):
    """What a worker no longer uses is another's a second later."""
    first, second = (ConsumerSlots(SlotStore(cache, name), "idle", 16, 2) for name in ("first", "second"))
    for _ in range(16):
        assert first.ready(first._clock()) or await first.refill()
        first.enter()
    for _ in range(16):
        first.leave()
    await first.renew()
    await first.renew()
    for _ in range(16):
        assert second.ready(second._clock()) or await second.refill()
        second.enter()


async def test_without_the_cache_each_worker_has_its_share(keys_folder: Path):
    """The limit falls to local shares, counted."""
    cache = Cache("redis://127.0.0.1:9/0")
    deployment = deployment_with(keys_folder, 4, cache=cache, workers=2)
    deployment.tier.gate = asyncio.Event()
    waiting = [asyncio.create_task(deployment.place(f"share-{number:08}")) for number in range(4)]
    done, pending = await asyncio.wait(waiting, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    while len(done) < 2:
        more, pending = await asyncio.wait(pending, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        done |= more
    assert [task.result().status_code for task in done] == [429, 429]
    assert len(pending) == 2
    deployment.tier.gate.set()
    assert {answer.status_code for answer in await asyncio.gather(*pending)} == {202}
    assert cache.failures["slots"] >= 1
    await cache.close()
