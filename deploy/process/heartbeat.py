"""deploy: the heartbeat by which a worker shows its supervisor that its event loop runs.

It is a count in memory that both share: cheaper than a message, and nothing queues while the loop is blocked.
"""

import asyncio
import faulthandler
import mmap
import os
import signal
from pathlib import Path

DUMP = signal.SIGQUIT
"""The signal on which a worker writes the stacks of its threads, also while its loop is blocked."""

_MOST_SECONDS = 1.0
_BEATS = 10  # in the longest silence that is let pass: one that comes late is not the last


class Count:
    """A number in memory that a process shares with those that it forks; one of them counts."""

    def __init__(self) -> None:
        self._number = memoryview(mmap.mmap(-1, 8)).cast("Q")

    @property
    def value(self) -> int:
        return self._number[0]

    def add(self, more: int = 1) -> None:
        self._number[0] += more


class Heartbeat:
    """A worker's heartbeat; how many workers its supervisor has killed, and how many failed to start."""

    def __init__(self, killed: Count, hung: Count) -> None:
        self.beats = Count()
        self.killed = killed
        self.hung = hung


_own: Heartbeat | None = None


def adopt(heartbeat: Heartbeat, folder: Path) -> None:
    """In a new worker: this heartbeat is its own, and its stacks are written to a file of the folder."""
    global _own  # noqa: PLW0603 - of the process
    _own = heartbeat
    stacks = os.open(
        stack_file(folder, os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600
    )
    faulthandler.register(DUMP, file=stacks, all_threads=True)


def begin(silence_seconds: float) -> None:
    """Beat for as long as the running loop runs; without a supervisor there is nobody to show it to."""
    if _own is None:
        return
    heartbeat, loop, every = _own, asyncio.get_running_loop(), pause(silence_seconds)

    def beat() -> None:
        heartbeat.beats.add()
        loop.call_later(every, beat)

    beat()


def killed() -> int:
    """How many workers this worker's supervisor has killed."""
    return 0 if _own is None else _own.killed.value


def hung() -> int:
    """How many of the supervisor's workers hung at their last start, or exited before they served."""
    return 0 if _own is None else _own.hung.value


def pause(silence_seconds: float) -> float:
    """The time between two beats, by the silence for which a worker is killed."""
    return min(_MOST_SECONDS, silence_seconds / _BEATS)


def stack_file(folder: Path, pid: int) -> Path:
    """The file to which a worker writes its stacks."""
    return folder / f"{pid}.stack"
