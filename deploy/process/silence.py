"""deploy: workers whose event loop stands still are killed, so that others take over what they hold.

A process that is stopped, swapped out or blocked keeps its connections, the place in the intake and the lock
on its runs; nobody else may touch these while it lives (decision 9).
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

from granian.server.mp import WorkerProcess

from deploy.process import heartbeat
from deploy.process.heartbeat import Count, Heartbeat
from kit.telemetry import log

START_SECONDS = 60.0
"""What a worker has to start in."""

LONGEST_PAUSE_SECONDS = 900.0
"""The longest pause before a worker that hangs or exits whenever it starts is started again."""

DUMP_SECONDS = 1.0
"""What a worker has to write its stacks in; a stopped one cannot."""

_LOOK_EVERY_SECONDS = 0.05
_log = log("deploy")


@dataclass
class _Worker:
    heartbeat: Heartbeat
    beats: int = 0
    silent: float = 0.0
    waited: float = 0.0


class SilenceWatch:
    """The workers of a server, each killed when its loop has been silent for longer than it may.

    `on_kill` is called with the worker before. One that hangs or exits before it serves is started again
    after a pause that grows with each time in a row.
    """

    def __init__(
        self,
        folder: Path,
        silence_seconds: float,
        start_seconds: float,
        on_kill: Callable[[WorkerProcess], object],
    ) -> None:
        self._folder = folder
        self._on_kill = on_kill
        self._silence_seconds = silence_seconds
        self._start_seconds = max(silence_seconds, start_seconds)
        self._every = heartbeat.pause(silence_seconds)
        self._killed, self._hung = Count(), Count()
        self._failed_starts: dict[int, int] = {}  # in a row, by the worker's number
        self._pauses: dict[int, float] = {}
        self._watched: dict[WorkerProcess, _Worker] = {}

    def add(self, worker: WorkerProcess) -> Heartbeat:
        """Watch a worker from its start on; its heartbeat."""
        self._watched[worker] = _Worker(Heartbeat(self._killed, self._hung))
        return self._watched[worker].heartbeat

    def leave(self, *workers: WorkerProcess) -> None:
        """Watch these no more: they were sent the signal to exit, and have their time for it."""
        for worker in workers:
            self._watched.pop(worker, None)

    def exited(self, idx: int, *, served: bool) -> float:
        """How long to wait before a worker that has exited is started again: 0 if it had served."""
        if idx not in self._pauses and not served:
            self._has_failed(idx)
        return self._pauses.pop(idx, 0.0)

    def start(self) -> None:
        """Watch, for as long as this process lives."""
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def _run(self) -> None:
        while True:
            before = time.monotonic()
            time.sleep(self._every)  # time itself is what is counted
            passed = time.monotonic() - before
            for worker in list(self._watched):
                self._look(worker, passed)

    def _look(self, worker: WorkerProcess, passed: float) -> None:
        watched, pid = self._watched.get(worker), worker.inner.pid
        if watched is None or pid is None:
            return
        if wait([worker.inner.sentinel], timeout=0):
            self.leave(worker)
            return
        beats, waited = watched.heartbeat.beats.value, waited_seconds(pid)
        if beats != watched.beats:
            watched.silent = 0.0
            self._has_started(worker.idx)
        else:
            watched.silent += counted(passed, self._every, waited - watched.waited)
        watched.beats, watched.waited = beats, waited
        if watched.silent > (self._silence_seconds if beats else self._start_seconds):
            self._kill(worker, pid, watched)

    def _has_started(self, idx: int) -> None:
        if self._failed_starts.pop(idx, 0):
            self._hung.add(-1)

    def _has_failed(self, idx: int) -> None:
        times = self._failed_starts[idx] = self._failed_starts.get(idx, 0) + 1
        if times == 1:
            self._hung.add()
        self._pauses[idx] = pause_after(times, self._start_seconds)

    def _kill(self, worker: WorkerProcess, pid: int, watched: _Worker) -> None:
        stacks = self._stacks(pid)
        if self._watched.pop(worker, None) is None:
            return  # it was sent the signal to exit meanwhile
        self._killed.add()
        if not watched.beats:
            self._has_failed(worker.idx)
        _log.error(
            "worker_killed",
            worker=worker.idx + 1,
            pid=pid,
            silent_seconds=round(watched.silent, 1),
            starting=not watched.beats,
            again_in=self._pauses.get(worker.idx, 0.0),
            stack=stacks or "It wrote none: it is stopped, or waits for a disk",
        )
        self._on_kill(worker)
        worker.inner.kill()  # not `worker.kill()`, after which it would not be replaced

    def _stacks(self, pid: int) -> str:
        """The stacks of a worker's threads, of each the innermost call first; empty where it writes none."""
        path = heartbeat.stack_file(self._folder, pid)
        if not path.exists():
            return ""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, heartbeat.DUMP)
        deadline, written = time.monotonic() + DUMP_SECONDS, ""
        while time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_SECONDS)  # the condition is in another process
            before, written = written, path.read_text(encoding="utf-8", errors="replace")
            if written and written == before:
                break
        return written


def pause_after(times: int, start_seconds: float) -> float:
    """The pause after so many failed starts of a worker in a row: none, then twice as long each time."""
    return 0.0 if times < 2 else min(start_seconds * 2.0 ** min(times - 2, 32), LONGEST_PAUSE_SECONDS)  # noqa: PLR2004


def counted(passed: float, every: float, waited: float) -> float:
    """How much of the time between two looks counts as a worker's silence.

    Not what went beyond the time between looks, for then the supervisor did not run either (stopped with its
    workers, or on a busy machine), and not what the worker waited for a processor.
    """
    return max(0.0, min(passed, every) - waited)


def waited_seconds(pid: int) -> float:
    """How long the main thread of a process has waited for a processor (Linux; 0 elsewhere).

    Source: the kernel's Documentation/scheduler/sched-stats.rst, `/proc/<pid>/schedstat`.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
