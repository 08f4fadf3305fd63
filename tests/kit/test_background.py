"""tests/kit: background work that dies is started again, and known while it is down."""

import asyncio
import logging

import pytest

from kit import background
from kit.background import down, run_background, stop_background
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
async def test_work_that_dies_is_started_again(death: BaseException, capfd: pytest.CaptureFixture[str]):
    """Whatever it died of, also of a cancelled call within, it goes on; its end is its task's end."""
    work = Work(death, death)
    task = run_background("the work", work)
    async with asyncio.timeout(10):
        await work.lives.wait()
        work.done.set()
        await task
    assert work.starts == 3


async def test_it_is_known_what_is_down(caplog: pytest.LogCaptureFixture):
    """Between a death and the next start its name is among those that are down, and its traceback is logged."""
    caplog.set_level(logging.ERROR)
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
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(background.asyncio, "sleep", note)
    work = Work(*(RuntimeError("a fault") for _ in range(9)))
    task = run_background("the work", work)
    await work.lives.wait()
    await stop_background(task)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
