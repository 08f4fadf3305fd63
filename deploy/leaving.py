"""deploy: how a worker leaves: it takes no more connections, and answers on those that it has.

The server (granian) knows one way to end: it closes at once every connection on which no request is being
answered, also one that it has just taken and whose request is on its way. So it is only told to end when none
is left, which the worker says.
"""

import asyncio
import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from deploy.settings import HouseSettings

CLOSE_SOON = signal.SIGUSR1
"""Tells a worker that it will be stopped soon: its answers close their connections from now on."""

LEAVE = signal.SIGUSR2
"""Tells a worker to leave."""

DRAINING = "draining"
"""The file by which a house on its way down is known."""

LOOK_EVERY_SECONDS = 0.05


def obey(settings: HouseSettings, close_connections: Callable[[], None]) -> None:
    """Do in this worker from now on as its supervisor says, and let that know that this one serves."""
    if not settings.run_dir:
        return
    folder, loop = Path(settings.run_dir), asyncio.get_running_loop()

    def leave() -> None:
        close_connections()
        doors = _sockets(settings.port, listening=True)
        _take_no_more(doors, last=draining(settings))
        loop.call_later(LOOK_EVERY_SECONDS, look, doors)

    def look(doors: set[int]) -> None:
        if _sockets(settings.port, listening=False) - doors:
            loop.call_later(LOOK_EVERY_SECONDS, look, doors)
        else:
            left_file(folder, os.getpid()).touch()

    loop.add_signal_handler(CLOSE_SOON, close_connections)
    loop.add_signal_handler(LEAVE, leave)
    serving_file(folder, os.getpid()).touch()


def draining(settings: HouseSettings) -> bool:
    """Whether the house was told to stop, all of it: a worker that is replaced does not make it unready."""
    return bool(settings.run_dir) and (Path(settings.run_dir) / DRAINING).exists()


def serving_file(folder: Path, pid: int) -> Path:
    """The file by which a worker is known to serve."""
    return folder / f"{pid}.serving"


def left_file(folder: Path, pid: int) -> Path:
    """The file by which a worker is known to have no connection left."""
    return folder / f"{pid}.left"


def _take_no_more(doors: set[int], *, last: bool) -> None:
    """Let the server hear of no new connection: they are for its successor, or refused after the last."""
    for descriptor in _open_files("anon_inode:[eventpoll]"):
        # A copy of its descriptor is the same epoll, and ours to close.
        with select.epoll.fromfd(os.dup(descriptor)) as heard:
            for door in doors:
                with contextlib.suppress(FileNotFoundError):  # this epoll does not watch it
                    heard.unregister(door)
    for door in doors if last else ():
        with socket.socket(fileno=os.dup(door)) as listener:
            listener.shutdown(socket.SHUT_RDWR)


def _sockets(port: int, *, listening: bool) -> set[int]:
    """The descriptors of what this process has open at its own port: where it listens, or the rest."""
    sockets: set[int] = set()
    for descriptor in _open_files("socket:"):
        with contextlib.suppress(OSError):  # it was closed meanwhile
            found = socket.socket(fileno=descriptor)
            try:
                at_port = found.family in (socket.AF_INET, socket.AF_INET6) and found.getsockname()[1] == port
                if at_port and bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) is listening:
                    sockets.add(descriptor)
            finally:
                found.detach()
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
