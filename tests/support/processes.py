"""tests/support: child processes of a test: their lines, waited for and not guessed at."""

import asyncio
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
GRANIAN = ["granian", "--interface", "asgi", "--host", "127.0.0.1", "--http1-buffer-size", "32768", "--no-ws"]
GRANIAN += ["--http", "1", "--loop", "asyncio"]  # as deploy.draining has it


async def lines_of(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """The next lines that a child prints; an empty one says that it ended."""
    assert process.stdout is not None
    return [(await asyncio.to_thread(process.stdout.readline)).strip() for _ in range(count)]


def start(command: list[str]) -> "subprocess.Popen[str]":
    """A child in the project's folder, with its input and output at hand."""
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
