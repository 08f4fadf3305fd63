"""tests/conformance/gateway: a gateway served by the process that asks it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import uvicorn


@asynccontextmanager
async def served(app: Any, *, lifespan: Literal["on", "off"] = "on") -> AsyncIterator[str]:
    """An application on a port of its own; its address. `lifespan` is off for one that is started already."""
    # Whom X-Forwarded-For speaks of is for the gateway to say.
    config = uvicorn.Config(
        app,
        interface="asgi3",
        port=0,
        log_config=None,
        lifespan=lifespan,
        timeout_graceful_shutdown=1,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:  # noqa: ASYNC110 - it has no event of it
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
