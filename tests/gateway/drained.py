"""tests/gateway: the demo house under the real server, whose orders wait until the test lets them through."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from deploy.process.connection_draining import draining, install_signal_handlers
from deploy.process.draining import supervisor
from deploy.process.pending_heads import Bounds, PendingHeads
from deploy.process.slow_heads import SlowHeads
from deploy.settings import ServerSettings
from gateway.pipeline import GatewaySettings
from tests.gateway.deployment import PLANS, Deployment
from tests.gateway.feed import FeedTier, mounted

FOLDER = Path(os.environ["DRAIN_FOLDER"])
NOTICE_SECONDS = 1.0
SETTINGS = ServerSettings(
    database_url="",
    port=int(os.environ["DRAIN_PORT"]),
    workers=2,
    idle_seconds=10,
    head_seconds=1.0,
    pending_heads_per_address=50,
    drain_notice_seconds=NOTICE_SECONDS,
    run_dir=str(FOLDER),
)


async def ready() -> dict[str, str]:
    return {"draining": "yes"} if draining(SETTINGS) else {}


class App:
    """The gateway, told of a stop that is coming as in the real house."""

    def __init__(self) -> None:
        self._slow_heads = SlowHeads(SETTINGS.port, SETTINGS.head_seconds)
        self._deployment = Deployment(
            FOLDER / "issuer", GatewaySettings(plans=PLANS), apis=(mounted(FeedTier()),), ready=ready
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" and (FOLDER / "faulty").exists():
            (FOLDER / "refused").touch()
            await send({"type": "lifespan.startup.failed", "message": "as the test wishes"})
        elif scope["type"] == "lifespan":
            self._watching = asyncio.create_task(self._watch())
            self._gate = asyncio.create_task(self._hold_orders())
            await self._deployment.gateway(scope, receive, self._obey_from_start(send))
        else:
            await self._slow_heads.answer(self._deployment.gateway, scope, receive, send)

    async def _watch(self) -> None:
        bounds = Bounds(SETTINGS.pending_heads_per_address, SETTINGS.pending_heads)
        pending_heads = PendingHeads(SETTINGS.port, self._slow_heads, bounds)
        async with self._slow_heads.watched(), pending_heads.watched():
            await asyncio.Event().wait()

    def _obey_from_start(self, send: Any) -> Any:
        async def started(message: dict[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                install_signal_handlers(SETTINGS, self._deployment.gateway.close_connections)
            await send(message)

        return started

    async def _hold_orders(self) -> None:
        gate = self._deployment.tier.gate = asyncio.Event()
        await self._deployment.tier.entered.wait()
        (FOLDER / "entered").touch()
        while not (FOLDER / "release").exists():  # noqa: ASYNC110 - the condition is in another process
            await asyncio.sleep(0.02)
        gate.set()


app = App() if __name__ != "__main__" else None

if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    supervisor("tests.gateway.drained:app", SETTINGS, FOLDER).serve()
