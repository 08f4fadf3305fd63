"""bench: a deployment as `enfilade up` starts it, with the vendors' stand-ins, and how long it takes."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bench.ports import free_ports
from bench.processes import python
from deploy.process import stack
from deploy.process.stack import Stack

READY_SECONDS = 120.0
STOP_SECONDS = 60.0


class Starts(msgspec.Struct, frozen=True):
    """Seconds until the gateway is ready: on an empty data folder, and on one that has been used."""

    fresh: float
    again: float


async def measure(folder: Path) -> Starts:
    """Two starts of the installed stack, one after the other."""
    async with up(folder, {}) as (_, fresh):
        pass
    async with up(folder, {}) as (_, again):
        return Starts(fresh, again)


@asynccontextmanager
async def up(folder: Path, environ: Mapping[str, str]) -> AsyncIterator[tuple[Stack, float]]:
    """A deployment without its story, and the seconds until it was ready."""
    port = free_ports(5)  # the gateway's, its internal listener's, and those of three vendors
    wanted = ("--no-demo", "--data", str(folder), "--port", str(port), "--sandbox-port", str(port + 2))
    started = time.monotonic()
    child = await asyncio.create_subprocess_exec(
        *python("deploy.cli.main", "up", *wanted),
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    # Read continuously: a child blocks on a full pipe.
    complaint = asyncio.create_task(child.communicate())
    try:
        deployment = await _until_reported(folder, complaint)
        yield deployment, time.monotonic() - started
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        await asyncio.wait_for(complaint, STOP_SECONDS)


async def _until_reported(folder: Path, complaint: "asyncio.Task[tuple[bytes, bytes]]") -> Stack:
    """The deployment, once the launcher has recorded that it is ready."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        deployment = stack.running(folder)
        if deployment is not None:
            return deployment
        if complaint.done():
            raise RuntimeError(f"`enfilade up` has ended: {complaint.result()[1].decode()[-1000:]}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"`enfilade up` was not ready in {READY_SECONDS:.0f} s")
        await asyncio.sleep(0.02)
