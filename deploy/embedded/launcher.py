"""deploy/embedded: starts both servers on one data folder, gives their addresses, monitors and stops them."""

import asyncio
import contextlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from deploy.embedded.child import Child
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.identity import servers_identity
from deploy.embedded.lock import Lock, hold, is_held
from deploy.embedded.postgresql import PostgreSQL
from deploy.embedded.valkey import Valkey


class Addresses(msgspec.Struct, frozen=True):
    """The servers' addresses; the last two only when TCP was requested."""

    database_url: str
    cache_url: str
    tcp_database_url: str | None = None
    tcp_cache_url: str | None = None


@dataclass
class _Running:
    lock: Lock
    sockets: Path
    children: list[Child]


class Embedded:
    """PostgreSQL and Valkey on one data folder: `async with Embedded(folder) as servers:`, or start and stop.

    `durable=False` trades safety against a power cut for speed, for tests. Ports open the servers on loopback
    too, behind a password created at each start.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        durable: bool = True,
        postgresql_port: int | None = None,
        valkey_port: int | None = None,
    ) -> None:
        self.data_dir = Path(data_dir).absolute()
        self._durable = durable
        self._ports = (postgresql_port, valkey_port)
        self._addresses: Addresses | None = None
        self._running: _Running | None = None
        self._death: Future[str] = Future()

    @property
    def addresses(self) -> Addresses:
        if self._addresses is None:
            raise EmbeddedError("The embedded servers have not been started.")
        return self._addresses

    @property
    def database_url(self) -> str:
        """PostgreSQL's address as SQLAlchemy accepts it."""
        return self.addresses.database_url

    @property
    def cache_url(self) -> str:
        """Valkey's address as redis-py accepts it."""
        return self.addresses.cache_url

    def start(self) -> Self:
        """Start both and wait until they answer; raises EmbeddedError with one clear sentence."""
        if sys.platform != "linux":
            raise EmbeddedError(
                "The embedded servers run on Linux only: give the addresses of servers of your own."
            )
        for port in self._ports:
            _refuse_port_in_use(port)
        _make_data_folder(self.data_dir)
        lock = hold(self.data_dir)
        sockets = servers_identity().make_socket_folder()
        self._running = _Running(lock, sockets, [])
        try:
            lock.note_socket_folder(sockets)
            _set_old_logs_aside(self.data_dir / "logs")
            self._start_servers(self._running)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both, the cache first, and give the folder back; harmless when nothing runs."""
        running, self._running = self._running, None
        if running is None:
            return
        for child in reversed(running.children):
            child.stop()
        (self.data_dir / "addresses.json").unlink(missing_ok=True)
        shutil.rmtree(running.sockets, ignore_errors=True)
        running.lock.release()

    def on_death(self, callback: Callable[[str], object]) -> None:
        """Call back once, from a thread, with a sentence, when a server exits that was not stopped."""
        self._death.add_done_callback(lambda death: callback(death.result()))

    async def died(self) -> str:
        """The sentence to show once a server has ended untold; after an orderly stop it never returns."""
        return await asyncio.shield(asyncio.wrap_future(self._death))

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _start_servers(self, running: _Running) -> None:
        shared = (self.data_dir, running.sockets, servers_identity(), self._durable)
        database = PostgreSQL(*shared, self._ports[0], secrets.token_urlsafe(16))
        cache = Valkey(*shared, self._ports[1], secrets.token_urlsafe(16))
        for server in (database, cache):
            child = server.start(running.lock.descriptor)
            running.children.append(child)
            child.ended.add_done_callback(lambda _, child=child: self._report(running, child))
        self._addresses = Addresses(database.url, cache.url, database.tcp_url, cache.tcp_url)
        _write_private(self.data_dir / "addresses.json", msgspec.json.encode(self._addresses))

    def _report(self, running: _Running, child: Child) -> None:
        if self._running is not running or self._death.done():
            return  # stopped on request, or the other one has been reported
        status = child.ended.result()
        how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
        self._death.set_result(f"The embedded {child.program.title} has died ({how}): {child.last_words()}")


def running(data_dir: Path | str) -> Addresses | None:
    """The addresses of servers that another process has started on this folder, or None."""
    folder = Path(data_dir)
    with contextlib.suppress(FileNotFoundError):
        if is_held(folder):
            return msgspec.json.decode((folder / "addresses.json").read_bytes(), type=Addresses)
    return None


def _make_data_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"The data folder {folder} cannot be created: {error.strerror}.") from error


def _set_old_logs_aside(logs: Path) -> None:
    """So that a server's last words are this start's, and no log grows for ever."""
    for log in logs.glob("*.log"):
        log.replace(log.with_suffix(".log.previous"))


def _refuse_port_in_use(port: int | None) -> None:
    if port is None:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EmbeddedError(f"Port {port} on 127.0.0.1 cannot be used: {error.strerror}.") from error


def _write_private(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    unfinished.rename(path)
