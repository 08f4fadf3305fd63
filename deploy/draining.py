"""deploy: how the public server starts, is told to stop and starts its workers anew, with no request lost.

Told to stop, it says so first: `/health/ready` answers 503 and every answer closes its connection, while
requests are still taken. After that notice nothing new is taken, and what is being answered is finished.
"""

import multiprocessing
import os
import signal
import threading
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from deploy.settings import HouseSettings

HEADER_SECONDS = 5
HEADER_BYTES = 32 * 1024
DRAINING = "draining"
"""The file by which a house on its way down is known."""

CLOSE_SOON = signal.SIGUSR1
"""Tells a worker that it will be stopped soon: its answers close their connections from now on."""


class Supervisor(MPServer):
    """granian's server, which gives notice before it stops its workers."""

    def __init__(self, *, folder: Path, notice_seconds: float, **given: Any) -> None:
        super().__init__(**given)
        self._folder = folder
        self._notice_seconds = notice_seconds
        self._noticed = False
        self.on_reload(tell_workers)
        # A worker that is only just starting is not ended by a signal which it does not know yet.
        signal.signal(CLOSE_SOON, signal.SIG_IGN)

    def signal_handler_interrupt(self, *given: Any, **more: Any) -> None:
        """Give notice; the second time, and where no notice is asked for, stop at once."""
        if self._noticed or not self._notice_seconds:
            super().signal_handler_interrupt(*given, **more)
            return
        self._noticed = True
        (self._folder / DRAINING).touch()
        tell_workers()
        timer = threading.Timer(self._notice_seconds, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


def draining(settings: HouseSettings) -> bool:
    """Whether the house was told to stop, all of it: a worker that is replaced does not make it unready."""
    return bool(settings.run_dir) and (Path(settings.run_dir) / DRAINING).exists()


def tell_workers() -> None:
    """Tell the workers there are now that they will be stopped soon."""
    for worker in multiprocessing.active_children():
        if worker.pid is not None:
            os.kill(worker.pid, CLOSE_SOON)


def supervisor(target: str, settings: HouseSettings, folder: Path, **more: Any) -> Supervisor:
    """The server of an application, named ``module:attribute``, by the settings; `more` is for granian."""
    given: dict[str, Any] = {"http1_settings": http1(HEADER_SECONDS), **more}
    return Supervisor(
        folder=folder,
        notice_seconds=settings.drain_notice_seconds,
        target=target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,  # the same wherever it runs, not whatever else happens to be installed
        workers=settings.workers,
        http=HTTPModes.http1,  # whose limits are ours: of HTTP/2 none is set
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.drain_seconds,
        **given,
    )


def http1(header_seconds: float) -> HTTP1Settings:
    """How much patience, and how much room, a request's head gets."""
    return HTTP1Settings(header_read_timeout=int(header_seconds * 1000), max_buffer_size=HEADER_BYTES)
