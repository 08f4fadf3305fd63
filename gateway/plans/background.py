"""Work that a process repeats beside answering, whatever becomes of one turn of it."""

import asyncio
from collections.abc import Awaitable, Callable

from contracts.problems import Problem
from kit.telemetry import log

_log = log(__name__)


async def repeat(what: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work every so many seconds until cancelled; `what` names in the log what failed."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Problem as problem:
            _log.warning(what, code=problem.code)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the work for good
            _log.error(what, exc_info=error)


async def end(*tasks: asyncio.Task[None]) -> None:
    """Cancel repeated work and wait until it has ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
