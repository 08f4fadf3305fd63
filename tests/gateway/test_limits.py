"""tests/gateway: how often one may come."""

import asyncio
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan
from gateway.policies.rate_limit.leases import Lease, LocalCounters, SharedCounters
from gateway.policies.rate_limit.window import LocalWindows, SharedWindows
from gateway.policies.source_limit import SourceLimitSettings, SourceWindows
from gateway.policies.wire import WireSettings
from kit.cache import Cache
from kit.settings import SettingsError
from tests.gateway.deployment import CONSUMERS, PLANS, Deployment, problem

ORDERS = "/experience/shop/v1/orders/o-1"


@pytest.fixture
async def cache(cache_url: str):
    found = Cache(cache_url, timeout=2)
    yield found
    await found.close()


def shared(cache: Cache, workers: int = 1) -> SharedCounters:
    local = LocalCounters(LocalWindows(), workers)
    return SharedCounters(SharedWindows(cache), local, lambda error: cache.count("rate limit", error))


def deployment_with(folder: Path, *limits: Limit, **more: Any) -> Deployment:
    settings = GatewaySettings(plans={"standard": Plan(limits=limits)})
    return Deployment(folder, settings, {"ci": Consumer(title="CI", scopes=("*.*.*",))}, **more)


def few_calls(folder: Path) -> Deployment:
    """A gateway where one consumer is on a plan with few calls."""
    few = Plan(limits=(Limit("burst", 3, 60), Limit("daily", 1000, 86_400)))
    slow = Consumer(title="Few calls", scopes=("*.*.*",), subscriptions={"*": "few"})
    return Deployment(
        folder, GatewaySettings(plans={**PLANS, "few": few}), {"ci": CONSUMERS["ci"], "slow": slow}
    )


async def test_the_fields_tell_plan_and_rest(keys_folder: Path):
    """RateLimit-Policy states the limits, RateLimit what is left and when it is renewed."""
    deployment = few_calls(keys_folder)
    first = await deployment.call("GET", ORDERS, "slow")
    second = await deployment.call("GET", ORDERS, "slow")
    assert first.headers["ratelimit-policy"] == '"burst";q=3;w=60, "daily";q=1000;w=86400'
    pattern = r'^"burst";r=(\d+);t=(\d+), "daily";r=(\d+);t=(\d+)$'
    counted = [re.match(pattern, answer.headers["ratelimit"]) for answer in (first, second)]
    assert [(int(found[1]), int(found[3])) for found in counted if found] == [(2, 999), (1, 998)]
    assert all(0 < int(found[2]) <= 60 for found in counted if found)


async def test_too_many_calls_are_429_with_the_time_to_wait(keys_folder: Path):
    """The refusal names the limit, says when to come again, and leaves other consumers alone."""
    deployment = few_calls(keys_folder)
    statuses = [(await deployment.call("GET", ORDERS, "slow")).status_code for _ in range(3)]
    refused = await deployment.call("GET", ORDERS, "slow")
    found = problem(refused, 429, "too_many_requests")
    assert statuses == [200, 200, 200]
    assert found["violated-policies"] == ["burst"]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert '"burst";r=0;t=' in refused.headers["ratelimit"]
    assert (await deployment.call("GET", ORDERS, "ci")).status_code == 200


async def test_a_refused_call_costs_nothing_of_the_other_limits(keys_folder: Path):
    """Whoever runs into one limit does not use up another (tyk#1876)."""
    deployment = few_calls(keys_folder)
    for _ in range(20):
        last = await deployment.call("GET", ORDERS, "slow")
    daily = re.search(r'"daily";r=(\d+)', last.headers["ratelimit"])
    assert daily is not None
    assert int(daily[1]) == 997


async def test_a_refused_caller_recovers_within_a_window(keys_folder: Path):
    """Refusals do not extend the wait (tyk#3102)."""
    deployment = deployment_with(keys_folder, Limit("burst", 2, 1))
    async with asyncio.timeout(10):
        while (await deployment.call("GET", ORDERS)).status_code != 429:
            pass
        while (await deployment.call("GET", ORDERS)).status_code != 200:
            pass


async def test_two_workers_share_one_limit(keys_folder: Path, cache: Cache):
    """Whatever worker a call meets, the limit holds to within workers times batch."""
    limit = Limit("shared", 200, 3600)
    deployments = [deployment_with(keys_folder, limit, cache=cache, workers=2) for _ in range(2)]
    statuses = [
        answer.status_code
        for _ in range(10)
        for answer in await asyncio.gather(
            *(deployment.call("GET", ORDERS) for deployment in deployments for _ in range(15))
        )
    ]
    assert abs(statuses.count(200) - 200) <= 2 * 16
    assert set(statuses) == {200, 429}


async def test_a_small_limit_is_exact_over_workers(keys_folder: Path, cache: Cache):
    """Below twenty per window not one call too many passes."""
    limit = Limit("small", 7, 3600)
    deployments = [deployment_with(keys_folder, limit, cache=cache, workers=2) for _ in range(2)]
    answers = await asyncio.gather(
        *(deployment.call("GET", ORDERS) for deployment in deployments for _ in range(10))
    )
    assert [answer.status_code for answer in answers].count(200) == 7


async def test_what_is_left_is_told_as_it_is(cache: Cache):
    """After any number of calls of a lone worker, `r` is the limit minus the calls."""
    lease = Lease(shared(cache), Limit("told", 100, 3600), "lone", 16)
    for used in range(1, 40):
        if not lease.ready(time.monotonic()):
            assert await lease.refill()
        lease.left -= 1
        assert lease.field(0.0).startswith(f'"told";r={100 - used};')


async def test_with_the_cache_down_each_worker_gives_its_share(keys_folder: Path):
    """The limit falls to local shares, counted, and nobody is refused for the cache's sake."""
    cache = Cache("redis://127.0.0.1:9/0")
    deployment = deployment_with(keys_folder, Limit("shared", 100, 3600), cache=cache, workers=4)
    statuses = [(await deployment.call("GET", ORDERS)).status_code for _ in range(40)]
    assert statuses.count(200) == 25
    assert cache.failures["rate limit"] >= 1
    await cache.close()


async def test_a_local_share_is_at_least_one():
    """A limit smaller than the number of workers still lets somebody pass."""
    lease = Lease(LocalCounters(LocalWindows(), 8), Limit("tiny", 3, 60), "c", 1)
    assert await lease.refill()


async def test_a_plan_that_there_is_not_is_refused_at_the_start(keys_folder: Path):
    """A consumer on an unknown plan stops the start, with its name."""
    wrong = {**CONSUMERS, "odd": Consumer(title="Odd", scopes=(), subscriptions={"*": "nowhere"})}
    with pytest.raises(SettingsError, match=r"consumers\.odd\.subscriptions.*nowhere"):
        Deployment(keys_folder, consumers=wrong)


async def test_one_source_cannot_try_tokens_without_end(keys_folder: Path):
    """The source limit comes before any signature, and answers 429 with Retry-After."""
    deployment = Deployment(
        keys_folder, GatewaySettings(source_limit=SourceLimitSettings(requests=20, seconds=60, batch=4))
    )
    headers = {"Authorization": "Bearer x"}
    answers = [await deployment.call("GET", ORDERS, "", headers=headers) for _ in range(25)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429] * 5
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_the_hosts_of_one_ipv6_site_are_one_source(keys_folder: Path):
    """Addresses within one /64 spend one allowance; another site, and each address of IPv4, has its own."""
    limited = SourceLimitSettings(requests=2, seconds=60, batch=1)
    wire = WireSettings(trusted_proxies=("127.0.0.0/8",))
    deployment = Deployment(keys_folder, GatewaySettings(source_limit=limited, wire=wire))
    sources = [f"2001:db8:0:1::{host}" for host in (1, 2, "ffff:3")] + [
        "2001:db8:0:2::1",
        "192.0.2.1",
        "192.0.2.2",
    ]
    headers = [{"Authorization": "Bearer x", "X-Forwarded-For": source} for source in sources]
    answers = [await deployment.call("GET", ORDERS, "", headers=each) for each in headers]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 401, 401, 401]


async def test_unconfigured_limits_are_absent(keys_folder: Path):
    """Without plans there is no RateLimit field and no bound."""
    deployment = Deployment(keys_folder, GatewaySettings())
    answer = await deployment.call("GET", ORDERS)
    assert "ratelimit" not in answer.headers
    assert answer.status_code == 200


async def test_counting_sources_starts_no_threads(keys_folder: Path):
    """Neither the source limit nor a lease keeps a timer beside the event loop."""
    deployment = Deployment(
        keys_folder, GatewaySettings(source_limit=SourceLimitSettings(requests=100, batch=1))
    )
    before = threading.active_count()
    for _ in range(50):
        await deployment.call("GET", ORDERS)
        assert threading.active_count() <= before


async def test_a_flood_of_addresses_does_not_fill_the_memory():
    """Sources that fell silent are forgotten when many come."""
    windows = SourceWindows("enfilade-sources://")
    for number in range(25_000):
        assert windows.acquire_entry(f"source-{number}", 10, 60)
    assert len(windows._windows) <= 10_000
    assert windows.acquire_entry("source-24999", 10, 60, amount=9)
    assert not windows.acquire_entry("source-24999", 10, 60)
