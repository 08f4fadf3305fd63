"""Background work that a process repeats, also after a failure."""

import asyncio
from collections.abc import Awaitable, Callable

from contracts.problems import Problem
from kit.background import run_background
from kit.telemetry import log

_log = log(__name__)


def repeat(what: str, seconds: float, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
    """The task that repeats the work at an interval in seconds; `what` is the log message of a failure."""
    return run_background(what, lambda: _repeat(what, seconds, work))


async def _repeat(what: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Problem as problem:
            _log.warning(what, code=problem.code)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the work for good
            _log.error(what, exc_info=error)
