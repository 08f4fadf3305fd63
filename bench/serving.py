"""bench: the measured servers as processes of their own, each under granian.

`python -m bench.serving NAME --port N [--workers N]`, with the addresses of its stores in BENCH_… variables.
"""

import argparse
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server
from litestar import Litestar, get

from bench.deployment import open_deployment, open_tiers
from bench.read import modules
from bench.read.interfaces import Screen
from contracts.experience.crm_ui import AccountScreen
from contracts.problems import NotFound
from deploy.demo.cast import CRM, read_cast
from deploy.process.draining import http1
from deploy.process.internal import IDLE_SECONDS
from deploy.process.memory import freeze_gc
from deploy.process.parent import die_with_parent
from deploy.settings import DEMO_CONFIG
from experience_apis.audiences.crm_ui.compose import account_screen
from kit import clock
from kit.database import Database
from kit.routes import require_delegation
from kit.secrets import Secret
from kit.telemetry import configure_logging
from process_apis.views.projects.overview import get_overview

BARE_PATH = "/experience/bench-screen/v1/screens"
OVERVIEW_PATH = "/experience/crm-ui/v1/accounts"
OVERVIEW_INSTANCE = read_cast(DEMO_CONFIG)[CRM].instance
STOP_SECONDS = 10


@asynccontextmanager
async def open_bare(_: Mapping[str, str]) -> AsyncIterator[Litestar]:
    """The answer of the read from one handler, precomputed."""
    screen = modules.answer()

    @get(f"{BARE_PATH}/{{record_id:str}}")
    async def read(record_id: str) -> Screen:  # noqa: ARG001 - there is one
        return screen

    yield Litestar(route_handlers=[read], openapi_config=None, logging_config=None)


@asynccontextmanager
async def open_tier(environ: Mapping[str, str]) -> AsyncIterator[Any]:
    """The system tier of the read alone, admitting internal callers only."""
    async with open_tiers() as tiers:
        yield require_delegation(tiers.app(), Secret(environ["BENCH_INTERNAL_KEY"]), ["system"])


@asynccontextmanager
async def open_overview(environ: Mapping[str, str]) -> AsyncIterator[Litestar]:
    """The account overview from one handler: its query and its composing, and nothing around them."""
    database = Database(environ["BENCH_DATABASE_URL"], name="enfilade bench overview")

    @get(f"{OVERVIEW_PATH}/{{account_id:str}}/overview")
    async def read(account_id: str) -> AccountScreen:
        async with database.connect() as connection:
            overview = await get_overview(connection, OVERVIEW_INSTANCE, account_id)
        if overview is None:
            raise NotFound
        return account_screen(overview, clock.now())

    yield Litestar(route_handlers=[read], openapi_config=None, logging_config=None)
    await database.close()


OPENERS = {"gateway": open_deployment, "bare": open_bare, "tier": open_tier, "overview": open_overview}


class Serving:
    """One of them, opened in the server's lifespan."""

    def __init__(self) -> None:
        self._app: Any = None
        self._stack = AsyncExitStack()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        await receive()
        configure_logging("warning")
        opener = OPENERS[os.environ["BENCH_SERVER"]]
        try:
            self._app = await self._stack.enter_async_context(opener(os.environ))
        except Exception as error:  # noqa: BLE001 - raised, it would only mean to granian that we have no lifespan
            await send({"type": "lifespan.startup.failed", "message": repr(error)})
            return
        freeze_gc()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})


app = Serving()


def main() -> None:
    """Serve one of them until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=OPENERS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    os.environ |= {"BENCH_SERVER": options.name, "BENCH_WORKERS": str(options.workers)}
    die_with_parent()
    os.register_at_fork(after_in_child=die_with_parent)
    Server(
        "bench.serving:app",
        address="127.0.0.1",
        port=options.port,
        interface=Interfaces.ASGI,
        # What runs has no other loop installed; only rivals get one.
        loop=Loops.asyncio,
        workers=options.workers,
        websockets=False,
        # As in `enfilade serve`: all run under the same server.
        http1_settings=http1(IDLE_SECONDS),
        log_level=LogLevels.warning,
        workers_kill_timeout=STOP_SECONDS,
    ).serve()


if __name__ == "__main__":
    main()
