"""deploy: starts, stops and restarts the public server without losing a request.

Before it stops it gives notice: `/health/ready` answers 503 and every answer closes its connection, while
requests are still accepted. After the notice no new request is accepted, and pending ones are finished.

To restart its workers it starts the successor of each before that one drains
(`deploy.process.connection_draining`).
"""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian._granian import ListenerSpec, SocketHolder
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels, logger
from granian.server.mp import MPServer, WorkerProcess

from deploy.composition.readiness import DRAINING
from deploy.process import heartbeat
from deploy.process.connection_draining import (
    CLOSE_SOON,
    DRAIN,
    LOOK_EVERY_SECONDS,
    drained_file,
    serving_file,
)
from deploy.process.parent import die_with_parent, end_after_parent
from deploy.process.ports import ip_of
from deploy.process.silence import START_SECONDS, SilenceWatch
from deploy.settings import LAST_SECONDS, ServerSettings

HEADER_BYTES = 32 * 1024

CONNECTIONS = 1024
"""The connections that a worker accepts at a time; more wait in the queue of its listening socket."""

ENDING = (signal.SIGTERM, signal.SIGINT)


class Supervisor(MPServer):
    """granian's server, which gives notice before it stops, and replaces workers without losing a request.

    granian's workers open their listening sockets themselves, and when a worker exits the kernel resets the
    connections that wait at its socket. Here the server opens one for each worker; the successor reuses it.
    """

    def __init__(
        self,
        *,
        folder: Path,
        notice_seconds: float,
        idle_seconds: float,
        silence_seconds: float,
        start_seconds: float = START_SECONDS,
        **given: Any,
    ) -> None:
        super().__init__(**given)
        self._folder = folder
        self._parent = os.getpid()  # of the workers
        # granian exits when a worker dies soon after it was started: as from a fault in the files, not by us.
        self._watch = SilenceWatch(
            folder, silence_seconds, start_seconds, lambda worker: self.respawned_wrks.pop(worker.idx, None)
        )
        # How long the callers of a replaced worker have to reconnect: an idle connection ends sooner anyway.
        self._drain_seconds = idle_seconds + 1.0
        self._start_seconds = start_seconds
        self._notice_seconds = notice_seconds
        self._stopping = False
        self._noticed = False
        self._listeners: dict[int, SocketHolder] = {}
        self._pausing: dict[int, WorkerProcess] = {}  # exited, and started again after a pause
        self._entering = 0
        self._heartbeat: heartbeat.Heartbeat | None = None  # of the worker that is entering
        os.register_at_fork(
            before=_hold_back, after_in_parent=_let_through, after_in_child=self._become_worker
        )
        # A worker that is still starting does not handle the signal yet and must not be killed by it.
        for number in (CLOSE_SOON, DRAIN):
            signal.signal(number, signal.SIG_IGN)

    def signal_handler_interrupt(self, *given: Any, **more: Any) -> None:
        """Give notice; the second time, and without a notice period, stop at once."""
        if not self._stopping:
            self._stopping = True
            _later(self._notice_seconds + LAST_SECONDS + (self.workers_kill_timeout or 0), kill_children)
        if self._noticed or not self._notice_seconds:
            super().signal_handler_interrupt(*given, **more)
            return
        self._noticed = True
        (self._folder / DRAINING).touch()
        signal_workers(CLOSE_SOON, self.wrks)
        _later(self._notice_seconds, super().signal_handler_interrupt)

    def _init_shared_socket(self) -> None:
        self._sso = None  # as granian has it where each worker listens on a socket of its own

    def _drop_shared_socket(self) -> None:
        for listener in self._listeners.values():
            os.close(listener.get_fd())
        self._listeners.clear()

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> WorkerProcess:
        self._entering = idx
        if idx not in self._listeners:
            self._listeners[idx] = ListenerSpec(self.bind_addr, self.bind_port, self.backlog).build()
        self._shd = self._listeners[idx]
        worker = super()._spawn_worker(idx, target, callback_loader)
        self._heartbeat = self._watch.add(worker)
        return worker

    def _become_worker(self) -> None:
        """In a new worker: close the other workers' sockets, reset the handlers of stop signals, end with us.

        Until it installs its own handlers it has no request to finish, and exits on them at once.
        """
        self._listeners.pop(self._entering, None)
        self._drop_shared_socket()
        for number in ENDING:
            signal.signal(number, signal.SIG_DFL)
        die_with_parent(self._parent)
        _let_through()
        end_after_parent(self._parent, LAST_SECONDS + (self.workers_kill_timeout or 0))
        if self._heartbeat is not None:
            heartbeat.adopt(self._heartbeat, self._folder)

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        super()._spawn_workers(spawn_target, target_loader)
        self._watch.start()

    def _respawn_workers(
        self, workers: list[int], spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        for idx in workers:
            if not self.wrks[idx].is_alive():
                self._respawn(idx, spawn_target, target_loader, delay)
            elif not self._replace(idx, spawn_target, target_loader):
                return

    def _respawn(self, idx: int, spawn_target: Any, target_loader: Any, delay: float) -> None:
        """Start a worker that has exited, at once or after a pause.

        granian ends the server when a worker exits again within seconds, which is right where none serves: a
        fault in the files then reaches whoever started the server.
        """
        worker = self.wrks[idx]
        served = self._has_served(worker)
        # One that has had its pause, or that a SIGHUP starts before, is counted already.
        if worker is not self._pausing.pop(idx, None) and (pause := self._watch.exited(idx, served=served)):
            self._pausing[idx] = worker
            # Nobody would accept what arrives at its socket meanwhile: the others' take its share.
            os.close(self._listeners.pop(idx).get_fd())
            _later(pause, partial(self._respawn_later, idx))
            return
        super()._respawn_workers([idx], spawn_target, target_loader, delay)
        if served or any(each.is_alive() and self._has_served(each) for each in self.wrks):
            self.respawned_wrks.pop(idx, None)

    def _has_served(self, worker: WorkerProcess) -> bool:
        return serving_file(self._folder, worker.inner.pid).exists()

    def _respawn_later(self, idx: int) -> None:
        """Have the main loop start this worker, unless it was started meanwhile (by a SIGHUP)."""
        if not self.wrks[idx].is_alive():
            self.interrupt_children.append(idx)
            self.main_loop_interrupt.set()

    def _replace(self, idx: int, spawn_target: Any, target_loader: Any) -> bool:
        """Drain a worker once its successor serves; False, and the worker stays, when that does not start."""
        successor = self._spawn_worker(idx, spawn_target, target_loader)
        successor.interrupt_by_parent = True  # if it exits before it serves, it needs no replacement
        successor.start()
        serves = self._serves(successor)
        successor.interrupt_by_parent = not serves
        if not (serves and successor.is_alive()):
            logger.error(f"The successor of worker-{idx + 1} did not start: the worker stays")
            successor.kill()
            return False
        self.wrks[idx], old = successor, self.wrks[idx]
        self._let_drain([old], self._drain_seconds)
        self._watch.leave(old)
        old.terminate()
        old.join(self.workers_kill_timeout)
        if old.is_alive():
            old.kill()
        return True

    def _serves(self, worker: WorkerProcess) -> bool:
        """Whether a new worker serves, as soon as that is known or the server is stopped."""
        serving = serving_file(self._folder, worker.inner.pid)
        serving.unlink(missing_ok=True)  # of an earlier worker with the same number
        wait(lambda: serving.exists() or not worker.is_alive() or self.interrupt_signal, self._start_seconds)
        return serving.exists() and not self.interrupt_signal

    def _let_drain(self, workers: list[WorkerProcess], seconds: float) -> None:
        """Drain workers, and wait until they have no open connection."""
        for worker in workers:
            worker.interrupt_by_parent = True
            drained_file(self._folder, worker.inner.pid).unlink(missing_ok=True)  # as above
        signal_workers(DRAIN, workers)
        stopping = self.interrupt_signal

        def ended() -> bool:
            told_to_stop = self.interrupt_signal and not stopping
            return told_to_stop or all(self._has_drained(worker) for worker in workers)

        wait(ended, seconds)

    def _has_drained(self, worker: WorkerProcess) -> bool:
        return drained_file(self._folder, worker.inner.pid).exists() or not worker.is_alive()

    def _stop_workers(self) -> None:
        if self._noticed:
            self._let_drain(self.wrks, LAST_SECONDS)
        self._watch.leave(*self.wrks)
        super()._stop_workers()


def _hold_back() -> None:
    """Block the signals that stop a process: between two handlers they would be lost."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def _let_through() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _later(seconds: float, do: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()


def kill_children() -> None:
    """Kill the workers and successors that have not exited in time, so that those who join them continue."""
    for child in multiprocessing.active_children():
        child.kill()


def wait(true: Callable[[], bool], seconds: float) -> None:
    """Wait until something is true of other processes, for some seconds at most."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_SECONDS)  # the condition is in other processes


def signal_workers(number: signal.Signals, workers: list[WorkerProcess]) -> None:
    """Send a signal to the running workers."""
    for worker in filter(WorkerProcess.is_alive, workers):
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.inner.pid, number)


def supervisor(target: str, settings: ServerSettings, folder: Path, **more: Any) -> Supervisor:
    """The server of an application, named ``module:attribute``, by the settings; `more` is for granian."""
    return Supervisor(
        folder=folder,
        notice_seconds=settings.drain_notice_seconds,
        idle_seconds=settings.idle_seconds,
        silence_seconds=settings.worker_silence_seconds,
        target=target,
        address=ip_of(settings.host),
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,  # the same wherever it runs, not whatever else happens to be installed
        workers=settings.workers,
        backpressure=CONNECTIONS,  # of each worker, however many there are
        http=HTTPModes.http1,  # its limits are set below: for HTTP/2 none are
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=settings.drain_seconds,
        http1_settings=http1(settings.idle_seconds),
        **more,
    )


def http1(idle_seconds: float) -> HTTP1Settings:
    """How long a connection may be idle, and the size of a request's head.

    The server's timer runs from the end of an answer to the end of the next head; the time of a head alone is
    bounded by `deploy.process.slow_heads`.
    """
    return HTTP1Settings(header_read_timeout=int(idle_seconds * 1000), max_buffer_size=HEADER_BYTES)
