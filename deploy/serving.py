"""deploy: the ASGI application that a server runs: the house, assembled in its lifespan."""

import os
from contextlib import AsyncExitStack
from typing import Any

from deploy.assemble import House, assemble
from deploy.door import readiness
from deploy.internal import Internal, listening
from deploy.settings import read_settings
from kit.settings import SettingsError
from kit.telemetry import configure_logging, configure_tracing, log


class Serving:
    """One process of the house behind a server."""

    def __init__(self) -> None:
        self._house: House | None = None
        self._stack = AsyncExitStack()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._house is not None and scope["type"] != "lifespan":
            await self._house.app(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            settings = read_settings(os.environ)
            configure_logging(settings.log_level, pretty=settings.log_pretty)
            configure_tracing("enfilade", settings.otlp_endpoint, settings.trace_ratio)
            self._house = await self._stack.enter_async_context(assemble(settings, os.environ))
            internal = Internal(self._house.gateway, readiness(self._house.stores))
            await self._stack.enter_async_context(listening(internal, settings.internal))
        except Exception as error:  # noqa: BLE001 - whatever it is, a server that goes on without us is worse
            if isinstance(error, SettingsError):
                log("deploy").error("settings", faults=error.faults)
            else:
                log("deploy").error("start_failed", exc_info=error)
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})


app = Serving()
