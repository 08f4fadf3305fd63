"""tests/gateway: the month's quota, and usage by day, which no cache and no restart forgets."""

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan
from gateway.plans.usage import Usage, active_consumers, used
from gateway.policies.rate_limit import quota
from gateway.policies.rate_limit.quota import Quota, QuotaBook
from kit import clock
from kit.cache import Cache
from kit.database import Database
from tests.gateway.deployment import Deployment, problem
from tests.support.databases import keyed

ORDERS = "/experience/shop/v1/orders/o-1"
SHOP = "experience/shop@1"


@pytest.fixture
async def own(fresh_database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    # On a busy machine a statement may take more than a second, and the worker then grants its local share.
    monkeypatch.setattr(quota, "_PATIENCE_SECONDS", 60)
    found = keyed(fresh_database_url)
    yield found
    await found.close()


@pytest.fixture
def nowhere(tmp_path: Path) -> Database:
    return Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")


@pytest.fixture
def late_november() -> Iterator[dt.datetime]:
    """Thirty seconds before a month ends."""
    at = dt.datetime(2026, 11, 30, 23, 59, 30, tzinfo=dt.UTC)
    clock.set(at)
    yield at
    clock.real()


def deployment_with(folder: Path, quota: int, **more: Any) -> Deployment:
    plan = Plan(limits=(Limit("burst", 100_000, 60),), monthly_quota=quota)
    settings = GatewaySettings(plans={"standard": plan})
    return Deployment(folder, settings, {"ci": Consumer(title="CI", scopes=("*.*.*",))}, **more)


async def spent(deployment: Deployment, calls: int) -> int:
    """How many of some calls were answered."""
    answers = [await deployment.call("GET", ORDERS) for _ in range(calls)]
    assert {answer.status_code for answer in answers} <= {200, 429}
    return [answer.status_code for answer in answers].count(200)


async def test_the_quota_is_told_and_ends_in_429(
    keys_folder: Path, own: Database, late_november: dt.datetime
):
    """The fields tell the month's calls and seconds; the call too many waits for the next month."""
    deployment = deployment_with(keys_folder, 3, database=own)
    first = await deployment.call("GET", ORDERS)
    assert first.headers["ratelimit-policy"].endswith(f'"month";q=3;w={30 * 86_400}')
    assert first.headers["ratelimit"].endswith('"month";r=2;t=30')
    assert await spent(deployment, 2) == 2
    refused = await deployment.call("GET", ORDERS)
    found = problem(refused, 429, "quota_exceeded")
    assert found["violated-policies"] == ["month"]
    assert refused.headers["retry-after"] == "30"
    assert refused.headers["ratelimit"].endswith('"month";r=0;t=30')
    burst = re.search(r'"burst";r=(\d+)', refused.headers["ratelimit"])
    assert burst is not None
    assert int(burst[1]) == 99_997


async def test_a_new_month_begins_anew(keys_folder: Path, own: Database, late_november: dt.datetime):
    """At midnight UTC of the first the quota is whole, with the new month's length."""
    deployment = deployment_with(keys_folder, 2, database=own)
    assert await spent(deployment, 3) == 2
    clock.advance(31)
    await deployment.gateway.allowances.renew()
    answer = await deployment.call("GET", ORDERS)
    assert answer.status_code == 200
    assert answer.headers["ratelimit-policy"].endswith(f'"month";q=2;w={31 * 86_400}')


async def test_workers_share_one_quota_and_a_wiped_cache_forgets_nothing(
    keys_folder: Path, own: Database, cache_url: str
):
    """Never a call more than the quota, whoever gives it, and what a closing worker holds goes back."""
    cache = Cache(cache_url, timeout=2)
    deployments = [deployment_with(keys_folder, 500, database=own, cache=cache, workers=2) for _ in range(2)]
    first = await asyncio.gather(*(spent(deployment, 100) for deployment in deployments))
    await cache.client.flushdb()
    await deployments[0].gateway.close()
    deployments[0] = deployment_with(keys_folder, 500, database=own, cache=cache, workers=2)
    second = await asyncio.gather(*(spent(deployment, 200) for deployment in deployments))
    await deployments[0].gateway.close()
    third = await spent(deployments[1], 10)
    assert sum(first) == 200
    assert sum(second) + third == 300
    await deployments[1].gateway.close()
    await cache.close()


async def test_a_killed_worker_loses_its_batch_at_most(own: Database):
    """What it held is lost to the consumer: a hundredth of the quota, over all workers."""
    book = QuotaBook(own)
    killed, living = (Quota(book, "c", SHOP, 1000, 2) for _ in range(2))
    assert await killed.refill()
    assert killed.left == 5
    given = 0
    while await living.refill():
        given += living.left
        living.left = 0
    assert given == 995


async def test_without_the_database_the_share_is_given_and_noted_later(nowhere: Database, own: Database):
    """Calls go on up to the worker's share of what was left, and count when the database is back."""
    away = Quota(QuotaBook(nowhere), "c", SHOP, 100, 4)
    given = 0
    while await away.refill():
        given += away.left
        away.left = 0
    assert given == 25
    away._book = QuotaBook(own)
    await away.settle()
    assert (await QuotaBook(own).taken(away.month))["c", SHOP] == 25
    await nowhere.close()


async def test_what_is_told_of_a_quota_is_what_all_left(own: Database):
    """After every renewal `r` knows of the others' batches; before any it knows its own."""
    book = QuotaBook(own)
    first, second = (Quota(book, "c", SHOP, 1000, 2) for _ in range(2))
    assert await first.refill()
    for _ in range(3):
        second.left = 0
        assert await second.refill()
    first.report((await book.taken(first.month))["c", SHOP])
    assert first.field(first._clock()).startswith('"month";r=985;')


async def test_usage_is_kept_by_consumer_api_and_day(keys_folder: Path, own: Database):
    """Calls that were let pass are counted, those that were refused are not."""
    clock.set(dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC))
    try:
        deployment = deployment_with(keys_folder, 3, database=own)
        await deployment.gateway.start()
        await spent(deployment, 2)
        await deployment.gateway.allowances.usage.write()
        clock.advance(86_400)
        await spent(deployment, 5)
        await deployment.gateway.close()
        assert [(use.consumer, use.calls, use.last_day) for use in await active_consumers(own, SHOP, 7)] == [
            ("ci", 3, dt.date(2026, 11, 21))
        ]
        assert [use.calls for use in await active_consumers(own, SHOP, 1)] == [1]
        assert await active_consumers(own, "process/works@1", 30) == []
        clock.advance(40 * 86_400)
        assert await used(own, 30) == []
    finally:
        clock.real()


async def test_a_count_that_cannot_be_written_keeps_no_other_from_it(
    own: Database, caplog: pytest.LogCaptureFixture
):
    """It is told as lost; the counts beside it are written, also when the deployment closes."""
    usage = Usage(own)
    await usage.start()
    for consumer in ("a", "b\x00", "c"):
        usage.tally(consumer, SHOP).calls += 3
    await usage.close()
    assert {use.consumer: use.calls for use in await used(own, 1)} == {"a": 3, "c": 3}
    assert "usage lost" in caplog.text


async def test_usage_waits_for_the_database(nowhere: Database, own: Database):
    """What could not be written is counted on, and written once."""
    usage = Usage(nowhere)
    await usage.start()
    usage.tally("c", SHOP).calls += 3
    with pytest.raises(Exception, match="does not answer"):
        await usage.write()
    usage.tally("c", SHOP).calls += 2
    usage._database = own
    await usage.write()
    await usage.write()
    await usage.close()
    assert [use.calls for use in await active_consumers(own, SHOP, 1)] == [5]
    await nowhere.close()
