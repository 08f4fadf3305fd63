"""tests/kit: background work that dies is started again, and known while it is down."""

import asyncio
import datetime as dt

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from kit import background
from kit.background import down, run_background, stop_background
from kit.database import Database
from kit.http.locks import LocalLocks
from kit.http.slots import SlotPool
from kit.inbox import InboxRow, receive
from kit.inbox.worker import InboxSettings, InboxWorker
from tests.support.stack import until


class Work:
    """Work that dies a few times of what it is told to die of, and then goes on until it is let go."""

    def __init__(self, *deaths: BaseException) -> None:
        self.deaths = list(deaths)
        self.starts = 0
        self.lives = asyncio.Event()
        self.done = asyncio.Event()

    async def __call__(self) -> None:
        self.starts += 1
        if self.deaths:
            raise self.deaths.pop(0)
        self.lives.set()
        await self.done.wait()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("death", [RuntimeError("a fault"), asyncio.CancelledError()])
async def test_work_that_dies_is_started_again(death: BaseException):
    """Whatever it died of, also of a cancelled call within, it goes on; its end is its task's end."""
    work = Work(death, death)
    with capture_logs() as logs:
        task = run_background("the work", work)
        async with asyncio.timeout(10):
            await work.lives.wait()
            work.done.set()
            await task
    assert work.starts == 3
    assert [(entry["work"], entry["exc_info"]) for entry in logs] == [("the work", death)] * 2


async def test_it_is_known_what_is_down():
    """Between a death and the next start its name is among those that are down, until it is stopped."""
    task = run_background("the work", Work(RuntimeError("a fault")))

    async def died() -> bool:
        return down() == ["the work"]

    await until("it has died", died, 10)
    await stop_background(task, None)
    assert task.cancelled()
    assert down() == []


async def test_pauses_grow(monkeypatch: pytest.MonkeyPatch):
    """Work that dies again and again is left alone for longer and longer, up to a bound."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        if asyncio.current_task() is task:
            pauses.append(seconds)
            seconds = 0
        await sleep(seconds)  # as it is for what else runs in this process

    monkeypatch.setattr(background.asyncio, "sleep", note)
    work = Work(*(RuntimeError("a fault") for _ in range(9)))
    task = run_background("the work", work)
    await work.lives.wait()
    await stop_background(task)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.usefixtures("impatient")
async def test_a_caller_gets_his_slot_though_asking_for_it_failed():
    """A fault of ours while slots are asked for keeps nobody waiting for ever, and loses no slot."""

    class Faulty(LocalLocks):
        def __init__(self) -> None:
            self.faults = 2

        async def take(self, space: int, slots: list[int], most: int) -> list[int]:
            self._fail()
            return await super().take(space, slots, most)

        async def give(self, space: int, slot: int) -> None:
            self._fail()
            await super().give(space, slot)

        def _fail(self) -> None:
            self.faults -= 1
            if self.faults >= 0:
                raise RuntimeError("a fault")

    locks = Faulty()
    ring = SlotPool("vendor-main", 1, 0, locks)
    async with asyncio.timeout(10):
        slot = await ring.take("batch")
        locks.faults = 1
        ring.give(slot)
        assert await ring.take("batch") == slot
        ring.give(slot)
        await ring.close()


async def test_the_inbox_goes_on_after_a_fault_of_its_own(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """Events that could not even be looked for are handled as soon as they can be."""
    monkeypatch.setattr(background, "FIRST_PAUSE_SECONDS", 0.1)
    worker = InboxWorker(database, InboxSettings(poll_seconds=0.01))
    handled, stop = asyncio.Event(), asyncio.Event()

    async def handle(_: AsyncConnection, row: InboxRow) -> None:
        handled.set()

    worker.subscribe("changed", handle)
    await _rename(database, "inbox", "inbox_away")

    async def died() -> bool:
        return "inbox lane 0" in down()

    with capture_logs():  # each lane tells of each death at length
        working = asyncio.create_task(worker.run(stop))
        await until("the inbox has died", died, 10)
        await _rename(database, "inbox_away", "inbox")
    await receive(
        database,
        source="crm-1",
        id="1",
        type="changed",
        key="k",
        data=Change(1),
        occurred_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        correlation_id="cor_1",
    )
    async with asyncio.timeout(10):
        await handled.wait()
        stop.set()
        await working


class Change(msgspec.Struct):
    n: int


async def _rename(database: Database, name: str, to: str) -> None:
    async with database.begin() as connection:
        await connection.execute(text(f"ALTER TABLE enfilade.{name} RENAME TO {to}"))
