"""deploy: a worker that has ceased to execute its flows ends, so that its supervisor starts another."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from kit.background import run_background, stop_background
from kit.telemetry import log
from kit.workflows import Runtime

LOOK_EVERY_SECONDS = 1.0

_log = log("deploy")


@asynccontextmanager
async def ending_with_engine(runtime: Runtime) -> AsyncIterator[None]:
    """For the length of the block, tell this process to stop once its engine of flows has failed."""
    watching = run_background("engine of flows", partial(_watch, runtime))
    try:
        yield
    finally:
        await stop_background(watching)


async def _watch(runtime: Runtime) -> None:
    while runtime.running:  # noqa: ASYNC110 - no event tells that a thread has ended
        await asyncio.sleep(LOOK_EVERY_SECONDS)
    _log.critical("engine_failed", ended=runtime.dead_threads)
    os.kill(os.getpid(), signal.SIGTERM)
