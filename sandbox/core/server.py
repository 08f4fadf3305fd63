"""Runs a stand-in: listener, proxy, background work and saving, from first printed line to graceful end."""

import asyncio
import contextlib
import errno
import shlex
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.core.accounts import World
from sandbox.core.tls import ConnectProxy
from sandbox.core.vendor import Vendor
from sandbox.core.wrapper import Wrapper

STORY = "story"
GRACE_SECONDS = 3
CA_VARIABLES = (
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)
"""Where Python's requests, OpenSSL, Node and gRPC look for the certificates that they trust."""


class PortInUse(Exception):  # noqa: N818 - a state of the machine, named as one
    """The wanted port belongs to somebody else."""


class _Connection(H11Protocol):
    """Lets a call reach its own connection, to drop it. No call is cancelled when its client goes away."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app_state = {**self.app_state, "connection": self}


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are the launcher's business: uvicorn would raise them again before the last save."""
        yield


@contextlib.asynccontextmanager
async def serving(
    vendor: Vendor,
    *,
    port: int = 0,
    proxy_port: int | None = 0,
    host: str = "127.0.0.1",
    data: Path | None = None,
    seed: int = 1,
) -> AsyncIterator[World]:
    """A running stand-in with its `story` account; `world.base_url` is its address. Raises: PortInUse."""
    listener = _bind(host, port)
    with contextlib.closing(listener), _files(data) as files:
        world = World(vendor, data)
        world.files = files
        world.base_url = f"http://{host}:{listener.getsockname()[1]}"
        world.load()
        world.create(STORY, seed)
        world.save()
        async with _running(world, listener), _proxied(world, host, proxy_port, listener.getsockname()[1]):
            yield world


@contextlib.asynccontextmanager
async def _running(world: World, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        Wrapper(world),
        http=_Connection,
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=60,
        backlog=2048,
    )
    server = _Server(config)
    stop = asyncio.Event()
    jobs = [
        asyncio.create_task(server.serve(sockets=[listener])),
        asyncio.create_task(world.keep_saved(stop)),
        asyncio.create_task(world.stand_in.background(world, stop)),
    ]
    try:
        while not server.started and not jobs[0].done():  # noqa: ASYNC110 - uvicorn offers no event for it
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        for account in world.accounts.values():
            account.holds.release_all()
        stop.set()
        world.wake()
        await asyncio.gather(*jobs)
        world.save()


@contextlib.asynccontextmanager
async def _proxied(world: World, host: str, port: int | None, target_port: int) -> AsyncIterator[None]:
    if port is None:
        yield
        return
    proxy = ConnectProxy(world.authority, target_port, world.tunnels)
    try:
        listener = await proxy.start(host, port)
    except OSError as problem:
        raise PortInUse(_in_use(port, problem)) from problem
    address = f"http://{host}:{listener.sockets[0].getsockname()[1]}"
    world.proxy = {"HTTPS_PROXY": address, "NODE_USE_ENV_PROXY": "1"}
    world.proxy |= dict.fromkeys(CA_VARIABLES, str(world.authority.file))
    try:
        yield
    finally:
        listener.close()
        proxy.stop()


def environment(world: World, account_name: str = STORY) -> dict[str, str]:
    """All that an ordinary client needs, proxy included, as KEY=VALUE."""
    name = world.vendor.upper()
    return {
        f"{name}_SANDBOX_URL": world.base_url,
        f"{name}_CONTROL_URL": f"{world.base_url}/__control",
        **world.stand_in.environment(world.get(account_name), world.base_url, world.files),
        **world.proxy,
    }


def run(
    vendor: Vendor,
    *,
    port: int,
    proxy_port: int = 0,
    host: str = "127.0.0.1",
    data: Path | None = None,
    seed: int = 1,
    env: bool = False,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit status."""
    try:
        asyncio.run(
            _run(vendor, port=port, proxy_port=proxy_port, host=host, data=data, seed=seed, env=env),
        )
    except PortInUse as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


async def _run(
    vendor: Vendor, *, port: int, proxy_port: int, host: str, data: Path | None, seed: int, env: bool
) -> None:
    done = asyncio.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, done.set)
    async with serving(vendor, port=port, proxy_port=proxy_port, host=host, data=data, seed=seed) as world:
        print(_greeting(world, env=env), flush=True)
        await done.wait()


def _greeting(world: World, *, env: bool) -> str:
    if not env:
        return f"{world.stand_in.title} sandbox: {world.base_url}"
    lines = [f"{key}={shlex.quote(value)}" for key, value in environment(world).items()]
    return "\n".join([*lines, ""])


def _bind(host: str, port: int) -> socket.socket:
    # TCP by name: asyncio sets TCP_NODELAY only then, and without it every answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening from here on: a second start on the port fails now and not later.
        listener.listen(2048)
    except OSError as problem:
        listener.close()
        raise PortInUse(_in_use(port, problem)) from problem
    return listener


def _in_use(port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use: stop what listens there or choose another with --port or --proxy-port."
        )
    return f"Port {port} cannot be opened: {problem.strerror}."


@contextlib.contextmanager
def _files(data: Path | None) -> Generator[Path, None, None]:
    """Where key files and the CA live: beside the data, or in a folder that ends with the run."""
    if data:
        folder = (data / "files").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="sandbox-") as name:
        yield Path(name)
