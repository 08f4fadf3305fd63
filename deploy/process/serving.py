"""deploy: the ASGI application that a server runs: the deployment, assembled in its lifespan."""

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from deploy.composition.assemble import Deployment, assemble
from deploy.composition.readiness import degraded, readiness
from deploy.process.connection_draining import install_signal_handlers
from deploy.process.engine_watch import ending_with_engine
from deploy.process.internal import Internal, listening
from deploy.process.measuring import Backlog, measured_loop
from deploy.process.memory import freeze_gc
from deploy.process.peer_metrics import join_peers
from deploy.process.pending_heads import Bounds, PendingHeads
from deploy.process.slow_heads import SlowHeads
from deploy.settings import ServerSettings, read_settings
from gateway.peers import Proxies
from kit.database.refusals import sentence_of
from kit.settings import SettingsError
from kit.telemetry import configure_logging, configure_metrics, export_telemetry, log


class Serving:
    """One process of the deployment behind a server."""

    def __init__(self) -> None:
        self._deployment: Deployment | None = None
        self._stack = AsyncExitStack()
        self._closing = False
        self._answer: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._deployment is not None and scope["type"] != "lifespan":
            await self._answer(self._deployment.app, scope, receive, closing(send) if self._closing else send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            settings = read_settings(os.environ)
            configure_logging(settings.log_level, pretty=settings.logs_for_people)
            export_telemetry("enfilade", settings.otlp_endpoint, settings.trace_ratio, os.environ)
            configure_metrics()
            self._deployment = await self._open(settings)
            freeze_gc()
        except Exception as error:  # noqa: BLE001 - whatever the failure, a server without a supervisor is worse
            if isinstance(error, SettingsError):
                log("deploy").error("settings", faults=error.faults)
            elif sentence := sentence_of(error):
                log("deploy").error("start_failed", reason=sentence)
            else:
                log("deploy").error("start_failed", exc_info=error)
            await self._close_begun()
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._deployment is not None and self._deployment.gateway is not None:
            await self._deployment.gateway.drain(settings.drain_seconds)
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self, settings: ServerSettings) -> Deployment:
        """The deployment, and the internal listener beside it."""
        enter = self._stack.enter_async_context
        peers = await enter(join_peers(Path(settings.run_dir) if settings.run_dir else None))
        deployment = await enter(assemble(settings, os.environ))
        await enter(measured_loop())
        slow_heads = SlowHeads(settings.port, settings.head_seconds)
        self._answer = slow_heads.answer
        await enter(slow_heads.watched())
        bounds = Bounds(settings.pending_heads_per_address, settings.pending_heads)
        trusted = _trusted_by(deployment)
        await enter(PendingHeads(settings.port, slow_heads, bounds, trusted).watched())
        ready = readiness(settings, deployment.stores, deployment.tiers)
        await enter(
            listening(
                Internal(
                    deployment.gateway,
                    ready,
                    peers,
                    Backlog(deployment.stores.database),
                    deployment.policy,
                    degraded(deployment.stores),
                ),
                settings.internal,
                settings.idle_seconds,
            )
        )
        install_signal_handlers(
            settings,
            self._close_connections if deployment.gateway is None else deployment.gateway.close_connections,
        )
        if settings.run_dir and deployment.tiers.runtime is not None:  # there is a supervisor to replace us
            await enter(ending_with_engine(deployment.tiers.runtime))
        return deployment

    async def _close_begun(self) -> None:
        """Close what a start that failed had opened: its threads would not let the process end."""
        try:
            await self._stack.aclose()
        except Exception as error:  # noqa: BLE001 - it is the start's own fault that counts
            log("deploy").error("not_closed", exc_info=error)

    def _close_connections(self) -> None:
        """As in a gateway, for tiers in a process of their own."""
        self._closing = True


def closing(send: Any) -> Any:
    """`send` of an answer after which the connection is closed."""

    async def send_closing(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await send(message)

    return send_closing


def _trusted_by(deployment: Deployment) -> Callable[[str], bool]:
    """Whether an address is a proxy's, by the policy as it is when it is asked."""

    def trusted(address: str) -> bool:
        policy = deployment.policy
        return policy is not None and address in _proxies(policy.bundle.settings.wire.trusted_proxies)

    return trusted


@lru_cache(maxsize=1)
def _proxies(networks: tuple[str, ...]) -> Proxies:
    return Proxies(networks)


app = Serving()
