"""Background tasks of a process: one that fails is logged, restarted and reported by readiness."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from kit.telemetry import log

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
SOUND_SECONDS = 60.0  # work that ran for so long died of something new

_log = log(__name__)
_down: list[str] = []


def run_background(name: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """The task that does the work until that returns, and starts it again when it dies.

    The pauses before that grow. The task ends early only when it is cancelled; it never raises anything else.
    """
    return asyncio.get_running_loop().create_task(_supervise(name, work), name=name)


async def stop_background(*tasks: asyncio.Task[None] | None) -> None:
    """Cancel the tasks and wait until they have ended; None stands for one that was never started."""
    started = [task for task in tasks if task is not None]
    for task in started:
        task.cancel()
    await asyncio.gather(*started, return_exceptions=True)


def down() -> list[str]:
    """The names of the work that has died in this process and has not been started again yet."""
    return sorted(_down)


async def _supervise(name: str, work: Callable[[], Awaitable[None]]) -> None:
    pause = FIRST_PAUSE_SECONDS
    while (death := await _run(work)) is not None:
        error, seconds = death
        if seconds > SOUND_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        _log.error("background work died", work=name, again_in=pause, exc_info=error)
        _down.append(name)
        try:
            await asyncio.sleep(pause)
        finally:
            _down.remove(name)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _run(work: Callable[[], Awaitable[None]]) -> tuple[BaseException, float] | None:
    """Of what the work died and after how many seconds; None when it is done."""
    began = time.monotonic()
    try:
        await work()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return error, time.monotonic() - began  # something within was cancelled, and not this task
    except Exception as error:  # noqa: BLE001 - any failure of a task is logged, and the task is restarted
        return error, time.monotonic() - began
    return None
