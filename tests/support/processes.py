"""tests/support: child processes of a test: their lines, waited for and not guessed at."""

import asyncio
import subprocess
from pathlib import Path

from tests.support.forkserver import Forked

ROOT = Path(__file__).parents[2]
GRANIAN = ["granian", "--interface", "asgi", "--host", "127.0.0.1", "--http1-buffer-size", "32768", "--no-ws"]
GRANIAN += ["--http", "1", "--loop", "asyncio"]  # as deploy.draining has it


async def lines_of(process: "subprocess.Popen[str] | Forked", count: int) -> list[str]:
    """The next lines that a child prints; an empty one says that it ended."""
    assert process.stdout is not None
    return [(await asyncio.to_thread(process.stdout.readline)).strip() for _ in range(count)]
