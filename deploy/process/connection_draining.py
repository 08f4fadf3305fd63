"""deploy: how a worker drains: it accepts no more connections, and answers on the open ones.

On exit the server (granian) closes at once every connection on which no request is being answered, also a new
one whose request is on its way. So a worker is stopped only when it has no connection, which it reports by a
file.
"""

import asyncio
import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from deploy.composition.readiness import draining
from deploy.process import heartbeat
from deploy.settings import ServerSettings

CLOSE_SOON = signal.SIGUSR1
"""The signal that a worker will be stopped soon: its answers close their connections from now on."""

DRAIN = signal.SIGUSR2
"""The signal on which a worker drains."""

LOOK_EVERY_SECONDS = 0.05


def install_signal_handlers(settings: ServerSettings, close_connections: Callable[[], None]) -> None:
    """Handle the supervisor's signals in this worker, and report to it that this worker serves, and lives."""
    if not settings.run_dir:
        return
    folder, loop = Path(settings.run_dir), asyncio.get_running_loop()

    def drain() -> None:
        close_connections()
        listeners = sockets_at(settings.port, listening=True)
        _stop_accepting(listeners, last=draining(settings))
        loop.call_later(LOOK_EVERY_SECONDS, look, listeners)

    def look(listeners: set[int]) -> None:
        if sockets_at(settings.port, listening=False) - listeners:
            loop.call_later(LOOK_EVERY_SECONDS, look, listeners)
        else:
            drained_file(folder, os.getpid()).touch()

    loop.add_signal_handler(CLOSE_SOON, close_connections)
    loop.add_signal_handler(DRAIN, drain)
    heartbeat.begin(settings.worker_silence_seconds)
    serving_file(folder, os.getpid()).touch()


def serving_file(folder: Path, pid: int) -> Path:
    """The file by which a worker is known to serve."""
    return folder / f"{pid}.serving"


def drained_file(folder: Path, pid: int) -> Path:
    """The file by which a worker reports that it has no open connection."""
    return folder / f"{pid}.left"


def _stop_accepting(listeners: set[int], *, last: bool) -> None:
    """Stop accepting: new connections go to the successor, or are refused after the last worker."""
    for descriptor in _open_files("anon_inode:[eventpoll]"):
        # A copy of the descriptor is the same epoll, and closing it does not close the server's.
        with select.epoll.fromfd(os.dup(descriptor)) as poller:
            for listener in listeners:
                with contextlib.suppress(FileNotFoundError):  # this epoll does not watch it
                    poller.unregister(listener)
    for listener in listeners if last else ():
        with socket.socket(fileno=os.dup(listener)) as listening:
            listening.shutdown(socket.SHUT_RDWR)


def sockets_at(port: int, *, listening: bool) -> set[int]:
    """The descriptors of what this process has open at its own port: where it listens, or the rest."""
    sockets: set[int] = set()
    for descriptor in _open_files("socket:"):
        with contextlib.suppress(OSError):  # it was closed meanwhile
            opened = socket.socket(fileno=descriptor)
            try:
                at_port = (
                    opened.family in (socket.AF_INET, socket.AF_INET6) and opened.getsockname()[1] == port
                )
                if at_port and bool(opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) is listening:
                    sockets.add(descriptor)
            finally:
                opened.detach()
    return sockets


def _open_files(kind: str) -> list[int]:
    """The descriptors of this process whose file is of a kind, as Linux names it; elsewhere none is known."""
    files: list[int] = []
    here = Path("/proc/self/fd")
    for path in here.iterdir() if here.exists() else ():
        with contextlib.suppress(OSError):  # as above
            if str(path.readlink()).startswith(kind):
                files.append(int(path.name))
    return files
