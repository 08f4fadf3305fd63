"""tests/support: child processes of a test: their lines, waited for and not guessed at, and their end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tests.support.forkserver import Forked, fork

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 15
GRANIAN = ["granian", "--interface", "asgi", "--host", "127.0.0.1", "--http1-buffer-size", "32768", "--no-ws"]
GRANIAN += ["--http", "1", "--loop", "asyncio"]  # as deploy.process.draining has it
# By itself it waits without end for a worker that was told to stop while it was starting, and missed it.
GRANIAN += ["--workers-kill-timeout", "5"]


async def lines_of(process: "subprocess.Popen[str] | Forked", count: int) -> list[str]:
    """The next lines that a child prints; an empty one says that it ended."""
    assert process.stdout is not None
    return [(await asyncio.to_thread(process.stdout.readline)).strip() for _ in range(count)]


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for somebody to take note of that."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def running(
    *module: str, environ: Mapping[str, str], output: IO[bytes] | None = None, seconds: float = STOP_SECONDS
) -> Iterator[Forked]:
    """A Python module with its arguments, as a server of its own for the length of the block.

    Told to stop, it has some seconds for that; what is left of it and its workers is killed.
    """
    printed = sys.stderr.fileno() if output is None else output.fileno()
    process = fork(*module, environ={**os.environ, **environ}, stdout=printed)
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
