"""deploy: the ASGI application that a server runs: the house, assembled in its lifespan."""

import os
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from deploy.assemble import House, assemble
from deploy.door import readiness
from deploy.fellows import joined
from deploy.internal import Internal, listening
from deploy.leaving import obey
from deploy.measuring import Backlog, measured_loop
from deploy.memory import keep
from deploy.settings import HouseSettings, read_settings
from kit.settings import SettingsError
from kit.telemetry import configure_logging, configure_metrics, configure_tracing, log


class Serving:
    """One process of the house behind a server."""

    def __init__(self) -> None:
        self._house: House | None = None
        self._stack = AsyncExitStack()
        self._closing = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._house is not None and scope["type"] != "lifespan":
            await self._house.app(scope, receive, closing(send) if self._closing else send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            settings = read_settings(os.environ)
            configure_logging(settings.log_level, pretty=settings.log_pretty)
            configure_tracing("enfilade", settings.otlp_endpoint, settings.trace_ratio)
            configure_metrics()
            self._house = await self._open(settings)
            keep()
        except Exception as error:  # noqa: BLE001 - whatever it is, a server that goes on without us is worse
            if isinstance(error, SettingsError):
                log("deploy").error("settings", faults=error.faults)
            else:
                log("deploy").error("start_failed", exc_info=error)
            await self._close_begun()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._house is not None and self._house.gateway is not None:
            await self._house.gateway.drain(settings.drain_seconds)
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self, settings: HouseSettings) -> House:
        """The house, and the internal listener beside it."""
        enter = self._stack.enter_async_context
        fellows = await enter(joined(Path(settings.run_dir) if settings.run_dir else None))
        house = await enter(assemble(settings, os.environ))
        await enter(measured_loop())
        ready = readiness(settings, house.stores, house.floors)
        await enter(
            listening(
                Internal(house.gateway, ready, fellows, Backlog(house.stores.database), house.policy),
                settings.internal,
            )
        )
        obey(settings, self._close_connections if house.gateway is None else house.gateway.close_connections)
        return house

    async def _close_begun(self) -> None:
        """Close what a start that failed had opened: its threads would not let the process end."""
        try:
            await self._stack.aclose()
        except Exception as error:  # noqa: BLE001 - it is the start's own fault that counts
            log("deploy").error("not_closed", exc_info=error)

    def _close_connections(self) -> None:
        """As a gateway does it, for floors that stand apart."""
        self._closing = True


def closing(send: Any) -> Any:
    """`send` of an answer after which the connection is closed."""

    async def send_closing(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return send_closing


app = Serving()
