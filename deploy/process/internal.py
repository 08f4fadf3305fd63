"""deploy: the internal listener: the endpoints for operators and probes, on a separate address."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn

from deploy.process import heartbeat
from deploy.process.measuring import Backlog
from deploy.process.peer_metrics import WorkerPeers
from deploy.process.ports import family_of, ip_of
from deploy.settings import authority
from gateway.app import Gateway
from gateway.policies.wire import LIVE, READY
from gateway.policy_bundle.reloader import PolicyReloader
from kit.background import run_background, stop_background
from kit.settings import SettingsError
from kit.telemetry import Family, Sample, exposition

_EXPOSITION = b"text/plain; version=0.0.4; charset=utf-8"
_QUEUE = 64
IDLE_SECONDS = 75
_END_SECONDS = 10.0

Ready = Callable[[], Awaitable[Mapping[str, str]]]


class Internal:
    """The internal listener: probes without authentication, the gateway's own APIs by their pipeline."""

    def __init__(
        self,
        gateway: Gateway | None,
        ready: Ready,
        peers: WorkerPeers,
        backlog: Backlog,
        policy: PolicyReloader | None = None,
        degraded: Ready | None = None,
    ) -> None:
        self._gateway = gateway
        self._policy = policy
        self._ready = ready
        self._degraded = degraded
        self._peers = peers
        self._backlog = backlog
        self._probes = {
            **dict.fromkeys(LIVE, self._answer_live),
            **dict.fromkeys(READY, self._answer_ready),
            "/metrics": self._answer_metrics,
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        probe = self._probes.get(scope["path"])
        if probe is not None:
            await _answer(send, *await probe())
        elif self._gateway is not None:
            await self._gateway.answer_internal(scope, receive, send)
        else:
            await _answer(send, 404, b'{"title":"Not found"}')

    async def _answer_live(self) -> tuple[int, bytes]:
        return 200, b'{"live":true}'

    async def _answer_ready(self) -> tuple[int, bytes]:
        missing = dict(await self._ready())
        document: dict[str, Any] = {"ready": not missing, "missing": missing}
        document |= {"workers_killed": heartbeat.killed(), "workers_hung": heartbeat.hung()}
        if self._degraded is not None:
            document["degraded"] = await self._degraded()
        if self._policy is not None:
            document["policy"] = self._policy.bundle.digest
        return 503 if missing else 200, msgspec.json.encode(document)

    async def _answer_metrics(self) -> tuple[int, bytes, bytes]:
        """Of all workers, and of what waits in the database (Prometheus's text format, version 0.0.4)."""
        own, waiting = await asyncio.gather(self._peers.families(), self._backlog.families())
        return 200, exposition([*own, *waiting, *_workers()]).encode(), _EXPOSITION


def _workers() -> list[Family]:
    """Without a label of a worker: each tells the same number."""
    killed = "Workers that were killed because their event loop stood still"
    hung = "Workers that hung at their last start, or exited before they served"
    return [
        Family("enfilade_workers_killed_total", "counter", killed, [Sample(heartbeat.killed())]),
        Family("enfilade_workers_hung", "gauge", hung, [Sample(heartbeat.hung())]),
    ]


async def _answer(send: Any, status: int, body: bytes, kind: bytes = b"application/json") -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Listener(uvicorn.Server):
    """A server beside the public one in the same process; only the public one handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listening(
    app: Any, address: tuple[str, int] | None, idle_seconds: int = IDLE_SECONDS
) -> AsyncIterator[None]:
    """The application answers at an address, shared by all workers, for the length of the block."""
    if address is None:
        yield
        return
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=idle_seconds,
        ws="none",
    )
    config.load()
    with bound(address) as listener:
        servers: list[_Listener] = []

        async def serve() -> None:
            servers.append(_Listener(config))
            await servers[-1].serve(sockets=[listener.dup()])  # the server closes what it is given

        serving = run_background("internal listener", serve)
        try:
            yield
        finally:
            for server in servers:
                server.should_exit = True
            await asyncio.wait({serving}, timeout=_END_SECONDS)
            await stop_background(serving)


@contextlib.contextmanager
def bound(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A socket on the address, which the other workers may bind as well; raises SettingsError."""
    try:
        ip = ip_of(address[0])
    except socket.gaierror as error:
        raise SettingsError(
            [f"ENFILADE_INTERNAL_ADDRESS: {address[0]} is unknown ({error.strerror})"]
        ) from None
    with socket.socket(family_of(ip), socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind((ip, address[1]))
        except OSError as error:
            fault = f"ENFILADE_INTERNAL_ADDRESS: {authority(*address)} cannot be had ({error.strerror})"
            raise SettingsError([fault]) from None
        listener.listen(_QUEUE)
        listener.settimeout(0)
        yield listener
