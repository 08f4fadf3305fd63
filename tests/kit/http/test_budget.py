"""tests of kit/http: the limits that a vendor sets are kept by all processes together."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contracts.problems import VendorUnavailable
from kit import context
from kit.cache import Cache
from kit.http import AllowanceLimits, Budget, Counters, Limits, Outbound, Slots
from kit.http.allowance import Allowance
from kit.http.answer import VendorAnswer
from kit.http.locks import space_of
from tests.kit.http.stand import Asked, Reply, Stand

Open = Callable[..., Outbound]


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def slots(database_url: str) -> AsyncIterator[Slots]:
    slots = Slots(database_url)
    yield slots
    await slots.close()


@pytest.fixture
async def other_slots(database_url: str) -> AsyncIterator[Slots]:
    """As another process would hold them: over a session of its own."""
    slots = Slots(database_url)
    yield slots
    await slots.close()


@pytest.fixture
async def cache(cache_url: str) -> AsyncIterator[Cache]:
    cache = Cache(cache_url, timeout=5)  # this machine may be busy
    await cache.client.flushdb()
    yield cache
    await cache.close()


async def slowly(_: Asked) -> Reply:
    await asyncio.sleep(0.01)  # the vendor's own work
    return Reply()


async def test_never_over_the_limit(stand: Stand, client: Open, slots: Slots, other_slots: Slots) -> None:
    """A burst from two processes is served whole and fairly, never more in flight than the vendor allows."""
    stand.answer = slowly
    limits = Limits(concurrency=3, reserve_interactive=1)
    outbounds = [client(budget=Budget("burst", limits, slots=each)) for each in (slots, other_slots)]
    done: list[int] = []

    async def one(which: int) -> None:
        with context.use(context.Context("c", lane="batch" if len(done) % 2 else "interactive")):
            await outbounds[which].send("POST", "/x")
        done.append(which)

    await asyncio.gather(*(one(number % 2) for number in range(200)))
    assert len(stand.asked) == 200
    assert stand.most_in_flight == 3
    assert 20 < sum(done[:100]) < 80


async def test_head_room(stand: Stand, client: Open, slots: Slots) -> None:
    """While batch work waits for its slots, a person's call goes at once."""
    gate = asyncio.Event()

    async def gated(asked: Asked) -> Reply:
        if asked.path == "/batch":
            await gate.wait()
        return Reply()

    stand.answer = gated
    outbound = client(budget=Budget("room", Limits(concurrency=3, reserve_interactive=1), slots=slots))

    async def batch() -> None:
        with context.use(context.Context("c", lane="batch")):
            await outbound.send("POST", "/batch")

    queued = [asyncio.create_task(batch()) for _ in range(6)]
    with context.use(context.Context("c", deadline=time.monotonic() + 5)):
        await outbound.send("GET", "/person")
    assert stand.most_in_flight <= 3
    gate.set()
    await asyncio.gather(*queued)


async def test_no_slot_in_time(stand: Stand, client: Open, slots: Slots) -> None:
    """Who waits beyond the deadline is told that surely nothing was done, and leaves no slot behind."""
    gate = asyncio.Event()

    async def gated(_: Asked) -> Reply:
        await gate.wait()
        return Reply()

    stand.answer = gated
    outbound = client(budget=Budget("late", Limits(concurrency=1), slots=slots))
    first = asyncio.create_task(outbound.send("POST", "/x"))
    await stand.seen(1)
    with (
        context.use(context.Context("c", deadline=time.monotonic() + 0.1)),
        pytest.raises(VendorUnavailable),
    ):
        await outbound.send("POST", "/x")
    gate.set()
    await first
    await outbound.send("POST", "/x")
    assert len(stand.asked) == 2


async def test_callers_that_leave(stand: Stand, client: Open, slots: Slots, engine: AsyncEngine) -> None:
    """Cancelled callers give their slots back: in the end the database holds none."""
    stand.answer = slowly
    outbound = client(budget=Budget("leave", Limits(concurrency=2), slots=slots))
    tasks = [asyncio.create_task(outbound.send("POST", "/x")) for _ in range(40)]
    await stand.seen(5)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(outbound.send("POST", "/x") for _ in range(4)))
    await slots.close()
    async with engine.connect() as connection:
        count = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
            " AND classid = (CAST(:space AS bigint) & 4294967295)::oid AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        assert (await connection.execute(count, {"space": space_of("leave")})).scalar() == 0


HOLDER = """
import asyncio, sys
from kit.http import Slots
async def main():
    pool = Slots(sys.argv[1]).pool("killed", 1, 0)
    await pool.take("batch")
    print("held", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_freed_on_death(database_url: str, slots: Slots) -> None:
    """A process that is killed frees its slots at once."""
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, database_url, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout
    assert await holder.stdout.readline() == b"held\n"
    pool = slots.pool("killed", 1, 0)
    waiting = asyncio.create_task(pool.take("batch"))
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.2)
    assert not waiting.done()
    holder.send_signal(signal.SIGKILL)
    await holder.wait()
    pool.give(await asyncio.wait_for(waiting, 30))


async def test_a_lost_session(engine: AsyncEngine, slots: Slots, other_slots: Slots) -> None:
    """When the database drops the session, slots in use are taken back before new ones are given."""
    pool = slots.pool("lost", 2, 0)
    held = await pool.take("batch")
    async with engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND pid <> pg_backend_pid() AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    second = await asyncio.wait_for(pool.take("batch"), 30)
    assert second != held
    elsewhere = asyncio.create_task(other_slots.pool("lost", 2, 0).take("batch"))
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(elsewhere), 0.2)
    assert not elsewhere.done()
    pool.give(held)
    await asyncio.wait_for(elsewhere, 30)


class Counting:
    """A vendor that counts calls and says so, and refuses the one too many."""

    def __init__(self, stand: Stand, most: int) -> None:
        self.used, self.most, self.refused = 0, most, 0
        stand.answer = self.answer

    async def answer(self, _: Asked) -> Reply:
        await asyncio.sleep(0.001)  # so that calls overlap
        if self.used >= self.most:
            self.refused += 1
            return Reply(403)
        self.used += 1
        return Reply(headers={"X-Used": f"{self.used}/{self.most}"})


def read_used(answer: VendorAnswer) -> tuple[int, int] | None:
    used, _, most = answer.headers.get("X-Used", "").partition("/")
    return (int(used), int(most)) if most else None


@pytest.mark.parametrize("shared", [True, False])
async def test_daily_allowance(stand: Stand, client: Open, cache: Cache, *, shared: bool) -> None:
    """Batch work stops before the part kept for people, people go to the last call, none is refused."""
    vendor = Counting(stand, 30)
    limits = Limits(daily=1000, reserve_daily=10, recheck_seconds=60, attempts=1)
    count = 2 if shared else 1
    outbounds = [
        client(budget=Budget("daily", limits, cache=cache if shared else None), read_allowance=read_used)
        for _ in range(count)
    ]

    async def call(number: int, lane: context.Context) -> bool:
        with context.use(lane):
            try:
                await outbounds[number % count].send("GET", "/x")
            except VendorUnavailable:
                return False
            return True

    batch = context.Context("c", lane="batch")
    await asyncio.gather(*(call(number, batch) for number in range(60)))
    while await call(0, batch):
        pass
    assert vendor.used == 20
    people = [await call(number, context.Context("c")) for number in range(12)]
    assert people == [True] * 10 + [False] * 2
    assert vendor.refused == 0


async def test_allowance_recovers(stand: Stand, client: Open, cache: Cache) -> None:
    """A used-up allowance is looked at again after a while, by one call."""
    vendor = Counting(stand, 3)
    limits = Limits(daily=1000, recheck_seconds=0, attempts=1)
    outbound = client(budget=Budget("recover", limits, cache=cache), read_allowance=read_used)
    for _ in range(3):
        await outbound.send("GET", "/x")
    vendor.most = 1000
    await asyncio.gather(*(outbound.send("GET", "/x") for _ in range(1)))
    await asyncio.gather(*(outbound.send("GET", "/x") for _ in range(20)))
    assert vendor.refused == 0


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, flowing: asyncio.Event) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            await flowing.wait()
            sink.write(data)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def relay(socket: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server's socket behind another, and what to clear to hold back what is sent: it arrives later."""
    flowing, always = asyncio.Event(), asyncio.Event()
    flowing.set()
    always.set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(socket)
        await asyncio.gather(_pump(reader, server_writer, flowing), _pump(server_reader, writer, always))

    server = await asyncio.start_unix_server(serve, f"{socket}.relay")
    try:
        yield f"{socket}.relay", flowing
    finally:
        flowing.set()
        server.close()


async def test_what_the_cache_did_not_hear_of(cache: Cache, cache_url: str) -> None:
    """A call whose end the cache could not be told in time is not counted as under way for minutes."""
    socket = urlsplit(cache_url).path
    flight = partial(cache.client.zrange, "enfilade:{late}:flight", 0, -1)
    async with relay(socket) as (relayed, flowing):
        hasty = Cache(cache_url.replace(socket, relayed), timeout=1)
        patient, impatient = (Allowance("late", Limits(daily=10), each) for each in (cache, hasty))
        _, first = await patient.take(interactive=True)
        await patient.report(first, (1, 10))
        assert await hasty.healthy()  # it is connected now
        flowing.clear()
        _, unheard = await impatient.take(interactive=True)  # granted when nobody waits for it any more
        await impatient.report(unheard, (2, 10))  # not even sent: the connection was given up
        assert hasty.failures["allowance"] == 2
        flowing.set()
        while await flight() != [unheard.encode()]:  # noqa: ASYNC110 - can only be asked
            await asyncio.sleep(0.01)
        verdict, last = await impatient.take(interactive=True)
        assert verdict == "go"
        assert await flight() == [last.encode()]
        await hasty.close()


async def test_calls_per_second(stand: Stand, client: Open, cache: Cache) -> None:
    """A bucket of 20 a second lets no more through, also from two clients."""
    outbounds = [client(budget=Budget("rate", Limits(per_second=20), cache=cache)) for _ in range(2)]
    began = time.monotonic()
    await asyncio.gather(*(outbounds[number % 2].send("GET", "/x") for number in range(50)))
    assert time.monotonic() - began >= 1


async def test_instances_of_one_org(stand: Stand, client: Open, database_url: str, cache: Cache) -> None:
    """Two instances that share an allowance, in two processes, exceed it never; others have their own."""
    stand.answer = slowly
    limits = Limits(concurrency=3, per_window=40, window_seconds=2)
    opened = [Slots(database_url) for _ in range(2)]
    processes = [Counters(each, cache) for each in opened]
    budgets = [
        Budget(name, limits, allowance="org-00D", counters=counters)
        for counters in processes
        for name in ("crm-main", "psa-main")
    ]
    outbounds = [client(budget=budget) for budget in budgets]
    began = time.monotonic()
    await asyncio.gather(*(outbounds[number % 4].send("POST", "/x") for number in range(60)))
    assert stand.most_in_flight == 3
    assert time.monotonic() - began >= 1
    stand.most_in_flight = 0
    together = asyncio.Event()

    async def answer(_: Asked) -> Reply:
        if stand.most_in_flight > 3:
            together.set()
        await together.wait()
        return Reply()

    stand.answer = answer
    own = [client(budget=Budget(f"other-{n}", limits, counters=processes[0])) for n in range(2)]
    await asyncio.gather(*(own[number % 2].send("POST", "/x") for number in range(20)))
    for slots in opened:
        await slots.close()


async def test_named_allowances(stand: Stand, client: Open, slots: Slots) -> None:
    """Searches take from an allowance of their own and from the general one; others do not wait for it."""
    stand.answer = slowly
    named = {"search": AllowanceLimits(concurrency=1)}
    outbound = client(budget=Budget("named", Limits(concurrency=4), named=named, slots=slots))
    searches = [outbound.send("POST", "/search", effect=False, allowances=("search",)) for _ in range(20)]
    others = [outbound.send("GET", "/x") for _ in range(20)]
    running, together = {"/search": 0, "/x": 0}, asyncio.Event()
    most = dict(running)

    async def answer(asked: Asked) -> Reply:
        running[asked.path] += 1
        most[asked.path] = max(most[asked.path], running[asked.path])
        if most["/x"] >= 3:
            together.set()
        await together.wait()
        running[asked.path] -= 1
        return Reply()

    stand.answer = answer
    await asyncio.gather(*searches, *others)
    assert most["/search"] == 1
    assert stand.most_in_flight <= 4


async def test_dead_cache(stand: Stand, client: Open) -> None:
    """Without its cache the budget holds within the process, and the failures are counted."""
    cache = Cache("redis://127.0.0.1:1")
    limits = Limits(per_second=1000, daily=5)
    outbound = client(budget=Budget("dead", limits, cache=cache), read_allowance=read_used)
    vendor = Counting(stand, 5)
    for _ in range(5):
        await outbound.send("GET", "/x")
    with pytest.raises(VendorUnavailable):
        await outbound.send("GET", "/x")
    assert vendor.refused == 0
    assert cache.failures["allowance"] > 0
    assert cache.failures["vendor rate"] > 0
    assert not await cache.healthy()
    await cache.close()
