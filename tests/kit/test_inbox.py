"""tests/kit: the inbox and its worker."""

# ruff: noqa: A002 - an id, an object and an input are called what they are

import asyncio
import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.duties import Duties
from contracts.problems import BadRequest, VendorRejected
from kit import clock, context, exceptions
from kit.database import Database
from kit.database.tables import inbox
from kit.http import LOGIN_FAILED
from kit.inbox import InboxRow, receive
from kit.inbox.worker import InboxSettings, InboxWorker
from kit.workflows import Runtime

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
QUICK = InboxSettings(poll_seconds=0.01, attempts=3, first_wait_seconds=0)


class Changed(msgspec.Struct):
    n: int


async def tell(database: Database, n: int, key: str = "k", id: str = "") -> bool:
    return await receive(
        database,
        source="crm-1",
        id=id or f"{key}-{n}",
        type="changed",
        key=key,
        data=Changed(n),
        occurred_at=NOW,
        correlation_id=f"cor_{n}",
    )


async def statuses(database: Database) -> dict[str, str]:
    async with database.connect() as connection:
        told = ~inbox.c.type.startswith("enfilade.exception.")  # that one was raised is not the test's
        rows = await connection.execute(select(inbox.c.id, inbox.c.status).where(told))
        return {row.id: row.status for row in rows}


async def test_fifty_tellings_are_one_event(database: Database) -> None:
    """The same notification fifty times at once is stored once and handled once."""
    worker, seen = InboxWorker(database, QUICK), []

    async def handle(_: AsyncConnection, row: InboxRow) -> None:
        seen.append((row.data["n"], context.current().correlation_id))

    worker.subscribe("changed", handle)
    told = await asyncio.gather(*(tell(database, 1) for _ in range(50)))
    assert told.count(True) == 1
    assert await worker.drain() == 1
    assert seen == [(1, "cor_1")]


async def test_a_key_keeps_its_order_whatever_the_workers(database: Database) -> None:
    """With several workers at once, the events of each key are handled in the order of their receipt."""
    seen: defaultdict[str, list[int]] = defaultdict(list)

    async def handle(_: AsyncConnection, row: InboxRow) -> None:
        await asyncio.sleep(0)
        seen[row.key].append(row.data["n"])

    workers = [InboxWorker(database, QUICK) for _ in range(3)]
    for worker in workers:
        worker.subscribe("changed", handle)
    for n in range(10):
        for key in ("a", "b", "c"):
            await tell(database, n, key)
    stop = asyncio.Event()
    running = [asyncio.create_task(worker.run(stop)) for worker in workers]
    while set((await statuses(database)).values()) != {"done"}:  # noqa: ASYNC110 - it is in the database
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*running)
    assert seen == {key: list(range(10)) for key in ("a", "b", "c")}


async def test_a_poisoned_event_holds_back_its_own_key_only(database: Database) -> None:
    """An event that keeps failing becomes an exception; other keys go on, and its own after the replay."""
    worker, healed, seen = InboxWorker(database, QUICK), False, []

    async def handle(_: AsyncConnection, row: InboxRow) -> None:
        if row.key == "bad" and row.data["n"] == 1 and not healed:
            raise BadRequest("cannot be read")
        seen.append(row.id)

    worker.subscribe("changed", handle)
    for n in (1, 2):
        await tell(database, n, "bad")
        await tell(database, n, "good")
    await worker.drain()
    assert seen == ["good-1", "good-2"]
    assert (await statuses(database))["bad-1"] == "parked"
    runtime = Runtime(database, application="kit-tests", version="1", executor="x", worker=False)
    async with database.begin() as connection:
        (case,) = (await exceptions.find(connection)).items
        assert (case.kind, case.why, case.correlation_id) == (
            "contract_violation",
            "cannot be read.",
            "cor_1",
        )
        healed = True
        await exceptions.resolve(
            connection,
            runtime,
            case.id,
            if_match=f'"{case.version}"',
            action="replay",
            reason="mapping corrected",
            corrections={},
            by="ann",
            duties=Duties({}, ()),
        )
    await runtime.close()
    await worker.drain()
    assert seen[2:] == ["bad-1", "bad-2"]


async def test_events_that_a_failed_login_stops_wait_for_one_case(database: Database) -> None:
    """Events whose handling needs an instance with a failed login are one case; replayed, all are handled."""
    worker, works, seen = InboxWorker(database, QUICK), False, []

    async def handle(_: AsyncConnection, row: InboxRow) -> None:
        if not works:
            raise VendorRejected("login refused", instance="crm-1", extra={LOGIN_FAILED: True})
        seen.append(row.id)

    worker.subscribe("changed", handle)
    for n in (1, 2, 3):
        await tell(database, n, f"k{n}")
    await worker.drain()
    runtime = Runtime(database, application="kit-tests", version="1", executor="x", worker=False)
    async with database.begin() as connection:
        (case,) = (await exceptions.find(connection)).items
        assert (case.flow, case.subject, case.why) == ("login", "crm-1", "login refused.")
        works = True
        await exceptions.resolve(
            connection,
            runtime,
            case.id,
            if_match=None,
            action="replay",
            reason="put right",
            corrections={},
            by="ann",
            duties=Duties({}, ()),
        )
    await runtime.close()
    await worker.drain()
    assert sorted(seen) == ["k1-1", "k2-2", "k3-3"]


async def test_a_failing_subscriber_holds_back_nobody_else(database: Database) -> None:
    """Each subscriber has a delivery of its own: the others go on, with what comes behind it too."""
    worker, healed = InboxWorker(database, QUICK), False
    seen: dict[str, list[str]] = {"first": [], "failing": [], "last": []}

    async def first(_: AsyncConnection, row: InboxRow) -> None:
        seen["first"].append(row.id)

    async def failing(_: AsyncConnection, row: InboxRow) -> None:
        if row.id == "k-1" and not healed:
            raise BadRequest("cannot be read")
        seen["failing"].append(row.id)

    async def last(_: AsyncConnection, row: InboxRow) -> None:
        seen["last"].append(row.id)

    for handler in (first, failing, last):
        worker.subscribe("changed", handler)
    for n in (1, 2):
        await tell(database, n, "k")
    await tell(database, 1, "other")
    await worker.drain()
    both = ["k-1", "k-2", "other-1"]
    assert seen == {"first": both, "failing": ["other-1"], "last": both}
    assert await statuses(database) == {"k-1": "parked", "k-2": "taken", "other-1": "done"}
    runtime = Runtime(database, application="kit-tests", version="1", executor="x", worker=False)
    async with database.begin() as connection:
        (case,) = (await exceptions.find(connection)).items
        healed = True
        await exceptions.resolve(
            connection,
            runtime,
            case.id,
            if_match=f'"{case.version}"',
            action="replay",
            reason="mapping corrected",
            corrections={},
            by="ann",
            duties=Duties({}, ()),
        )
    await runtime.close()
    await worker.drain()
    assert seen == {"first": both, "failing": ["other-1", "k-1", "k-2"], "last": both}
    assert set((await statuses(database)).values()) == {"done"}


async def test_a_failure_that_comes_late_spoils_nothing(database: Database) -> None:
    """What another lane has handled since stays handled, though this one failed at its last try."""
    slow = InboxWorker(database, msgspec.structs.replace(QUICK, attempts=1))
    quick = InboxWorker(database, QUICK)
    failed, go_on = asyncio.Event(), asyncio.Event()

    async def fail(connection: AsyncConnection, _: InboxRow) -> None:
        # As it stands when the error is looked at: the transaction is over, the failure not yet written.
        await connection.rollback()
        failed.set()
        await go_on.wait()
        raise RuntimeError("too late")

    async def succeed(_: AsyncConnection, __: InboxRow) -> None: ...

    slow.subscribe("changed", fail, name="both")
    quick.subscribe("changed", succeed, name="both")
    await tell(database, 1)
    failing = asyncio.create_task(slow.handle_one())
    await failed.wait()
    assert await quick.handle_one()
    go_on.set()
    await failing
    assert set((await statuses(database)).values()) == {"done"}


async def test_a_handler_and_its_mark_are_one_transaction(database: Database) -> None:
    """What a handler wrote before it failed is gone, so that its next try starts from nothing."""
    worker, tries = InboxWorker(database, QUICK), 0

    async def handle(connection: AsyncConnection, row: InboxRow) -> None:
        nonlocal tries
        tries += 1
        await receive(
            connection,
            source="inner",
            id=f"try-{tries}",
            type="other",
            key="other",
            data=Changed(0),
            occurred_at=clock.now(),
            correlation_id=row.correlation_id,
        )
        if tries == 1:
            raise RuntimeError("after the effect")

    worker.subscribe("changed", handle)
    await tell(database, 1)
    await worker.drain()
    assert await statuses(database) == {"k-1": "done", "try-2": "ignored"}


def in_batches(
    worker: InboxWorker, most: int, wait: float, poison: str = "", batches: list[list[str]] | None = None
) -> list[list[str]]:
    """The batches of events that are handled, as they come; one that contains the poison fails."""
    batches = [] if batches is None else batches

    async def handle(_: AsyncConnection, rows: Sequence[InboxRow]) -> None:
        ids = [row.id for row in rows]
        if poison in ids:
            raise BadRequest("cannot be read")
        batches.append(ids)

    worker.subscribe_batch("changed", handle, most=most, wait=wait)
    return batches


async def test_events_are_taken_together(database: Database) -> None:
    """As many as make a batch at once, the rest only when the first of them has waited long enough."""
    patient = InboxWorker(database, QUICK)
    batches = in_batches(patient, most=3, wait=3600)
    for n in range(5):
        await tell(database, n, key=f"k{n % 2}")
    await patient.drain()
    assert batches == [["k0-0", "k1-1", "k0-2"]]
    assert list((await statuses(database)).values()).count("done") == 3
    hasty = InboxWorker(database, QUICK)
    rest = in_batches(hasty, most=3, wait=0)
    await hasty.drain()
    assert rest == [["k1-3", "k0-4"]]
    assert set((await statuses(database)).values()) == {"done"}


async def test_a_poisoned_event_leaves_its_batch(database: Database) -> None:
    """A batch that fails is tried event by event: one that keeps failing holds back its own key only."""
    worker = InboxWorker(database, QUICK)
    batches = in_batches(worker, most=4, wait=0, poison="b-1")
    for n, key in enumerate(("a", "b", "c", "b")):
        await tell(database, n, key)
    while (await statuses(database))["b-1"] != "parked":
        await worker.drain()
    assert sorted(batches) == [["a-0"], ["c-2"]]
    await tell(database, 4, "a")
    await worker.drain()
    assert batches[-1] == ["a-4"]
    assert (await statuses(database))["b-3"] == "taken"


async def test_a_batch_is_of_one_worker_at_a_time(database: Database) -> None:
    """Whatever the workers, each event is handed out once, and those of a key stay in order."""
    workers, batches = [InboxWorker(database, QUICK) for _ in range(3)], []
    for worker in workers:
        in_batches(worker, most=4, wait=0, batches=batches)
    for n in range(40):
        await tell(database, n, key=f"k{n % 3}")
    stop = asyncio.Event()
    running = [asyncio.create_task(worker.run(stop)) for worker in workers]
    while set((await statuses(database)).values()) != {"done"}:  # noqa: ASYNC110 - it is in the database
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.gather(*running)
    handled = [one for batch in batches for one in batch]
    assert len(handled) == 40
    for key in ("k0", "k1", "k2"):
        of_key = [int(one.removeprefix(f"{key}-")) for one in handled if one.startswith(key)]
        assert of_key == sorted(set(of_key))
