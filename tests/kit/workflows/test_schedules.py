"""tests/kit/workflows: schedules: one firing per tick over all replicas, whoever dies."""

import asyncio
import datetime as dt
import time

import pytest
from dbos import DBOSClient
from sqlalchemy import text

from kit import clock
from kit.workflows import Schedule
from kit.workflows.schedules import fill_gaps
from kit.workflows.serializing import JsonSerializer
from tests.kit.workflows.conftest import Spawn, Workbench, launched
from tests.support.forkserver import Forked
from tests.support.stack import until

MODULE = "tests.kit.workflows.ticking"
SECOND = dt.timedelta(seconds=1)
LONGEST_SECONDS = 90  # four processes start one after the other


async def prepare(deployment: Workbench) -> None:
    async with deployment.database.begin() as connection:
        await connection.execute(text("CREATE TABLE public.ticks (due timestamptz, runs int DEFAULT 0)"))


async def ticks(deployment: Workbench, count: int) -> int:
    """How many have been handled, as soon as the first so many are each second's one and their runs ended."""
    end = time.monotonic() + LONGEST_SECONDS
    while True:
        async with deployment.database.connect() as connection:
            rows = (await connection.execute(text("SELECT due, runs FROM public.ticks ORDER BY due"))).all()
        first = rows[:count]
        expected = [rows[0].due + number * SECOND for number in range(count)] if rows else [None]
        if [row.due for row in first] == expected and all(row.runs for row in first):
            return len(rows)
        assert time.monotonic() < end, rows
        await asyncio.sleep(0.05)


def engines_schedules(deployment: Workbench) -> list[str]:
    """The names of those that the engine knows."""
    client = DBOSClient(
        system_database_url=deployment.database.url,
        application_name="kit-tests",
        serializer=JsonSerializer(),
        lazy=True,
    )
    try:
        return [known["schedule_name"] for known in client.list_schedules()]
    finally:
        client.destroy()


async def one_dies(replicas: list[Forked]) -> None:
    """Wait until one more replica is dead."""
    alive = len([replica for replica in replicas if replica.poll() is None])
    async with asyncio.timeout(LONGEST_SECONDS):
        while len([replica for replica in replicas if replica.poll() is None]) == alive:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_three_replicas_fire_once_for_each_tick(deployment: Workbench, spawn: Spawn) -> None:
    """One dies within a tick, another within its run, then all: no tick is missed, and none is twice."""
    await prepare(deployment)
    replicas = [spawn(module=MODULE) for _ in range(3)]
    for replica in replicas:
        await launched(replica)
    for place in ("tick", "run"):
        handled = await ticks(deployment, 2)
        await deployment.vendor.fail(place, "rejected")
        await one_dies(replicas)
    handled = await ticks(deployment, handled + 2)
    for replica in replicas:
        replica.kill()
    await asyncio.sleep(1.5)  # at least one tick is due while nobody lives
    await launched(spawn(module=MODULE))
    await ticks(deployment, handled + 4)


async def test_only_a_worker_has_schedules_and_only_those_that_are_declared(deployment: Workbench) -> None:
    """One that answers requests only tells the engine nothing; one that is no longer declared is gone."""
    schedule = Schedule("nightly", "0 3 * * *", zone="Europe/Berlin")
    api = deployment.make_runtime("api", worker=False)
    api.every(schedule)
    await api.launch()
    assert (api.schedules, engines_schedules(deployment)) == ([schedule], [])
    for schedules, known in (([schedule], ["nightly"]), ([], [])):
        worker = deployment.make_runtime("worker")
        for one in schedules:
            worker.every(one)
        await worker.launch()
        assert engines_schedules(deployment) == known
        assert await api.known_schedules() == [(one, None) for one in schedules]
        await worker.close()
    await api.close()


async def test_a_tick_that_nobody_fired_is_fired_once(deployment: Workbench) -> None:
    """However often it is looked for."""
    runtime, schedule = deployment.make_runtime("worker"), Schedule("yearly", "0 0 1 1 *")
    runtime.every(schedule)
    await runtime.launch()
    since, years = dt.datetime(2023, 6, 1, tzinfo=dt.UTC), range(2024, dt.datetime.now(dt.UTC).year + 1)
    looking = [asyncio.create_task(fill_gaps(runtime._client, [schedule], since, 0.01)) for _ in range(3)]
    query = text("SELECT id FROM enfilade.inbox WHERE type = :type ORDER BY occurred_at")
    expected = [f"yearly@{year}-01-01T00:00:00Z" for year in years]

    async def fired() -> bool:
        async with deployment.database.connect() as connection:
            ids = (await connection.execute(query, {"type": schedule.event_type})).scalars().all()
        return ids == expected

    try:
        await until("every tick is in the inbox once", fired, LONGEST_SECONDS)
    finally:
        for task in looking:
            task.cancel()
        await runtime.close()
    assert await fired()


def test_a_schedule_is_refused_where_it_is_wrong() -> None:
    """Neither a wrong expression nor an unknown zone waits for its first tick."""
    with pytest.raises(ValueError, match="is no cron expression"):
        Schedule("nightly", "0 25 * * *")
    with pytest.raises(Exception, match="No time zone found"):
        Schedule("nightly", "0 3 * * *", zone="Europe/Nowhere")


@pytest.mark.usefixtures("stopped_clock")
def test_a_schedule_is_of_its_zone() -> None:
    """Three in the morning is where the business is, in summer and in winter."""
    schedule = Schedule("nightly", "0 3 * * *", zone="Europe/Berlin")
    for day, hour in ((dt.date(2026, 7, 1), 1), (dt.date(2026, 12, 1), 2)):
        midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
        clock.set(midnight)
        assert schedule.next_due() == midnight + hour * dt.timedelta(hours=1)
