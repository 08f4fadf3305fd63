"""deploy: the deployment's server as a child of the launcher, waited for until it is ready."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx

from deploy.errors import CommandError
from deploy.process.children import Child

READY_SECONDS = 90.0
_LOOK_EVERY_SECONDS = 0.05


@contextlib.asynccontextmanager
async def serving(environ: Mapping[str, str], log: Path, stop_seconds: float) -> AsyncIterator[Child]:
    """The server with these settings; it may not be ready yet. Stopped at the end, within a time."""
    arguments = ["deploy.cli.main", "serve", "--die-with-parent"]
    child = await Child.start("The server", arguments, environ=environ, log=log)
    try:
        yield child
    finally:
        await child.stop(stop_seconds)


async def until_ready(child: Child, url: str) -> None:
    """Wait until the gateway reports that it is ready; raises CommandError when it ends or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        while not await _is_ready(http, url):
            child.refuse_ended()
            if time.monotonic() > deadline:
                raise CommandError(f"The server was not ready in {READY_SECONDS:.0f} s: {child.last_words()}")
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def _is_ready(http: httpx.AsyncClient, url: str) -> bool:
    try:
        answer = await http.get(f"{url}/health/ready")
    except httpx.TransportError:
        return False
    return answer.is_success
