"""tests/deploy: a server that is told to stop while its worker is still starting."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from bench.ports import free_port
from tests.support.forkserver import piped
from tests.support.processes import lines_of
from tests.support.stack import until

IN_TIME_SECONDS = 30  # for a worker that would stay for an hour


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for somebody to take note of that."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("where", "number", "status"),
    [
        ("loading", signal.SIGTERM, 0),
        ("loading", signal.SIGKILL, -signal.SIGKILL),
        ("lifespan", signal.SIGTERM, 0),
    ],
)
async def test_a_worker_that_is_still_starting_ends_with_its_server(
    tmp_path: Path, where: str, number: int, status: int
):
    """It does not miss that it is told to end, also by its server's death; where it hangs, it is killed."""
    server = piped("tests.deploy.process.starting", str(tmp_path), str(free_port()), where)
    (pid,) = await lines_of(server, 1)
    try:
        server.send_signal(number)

        async def gone() -> bool:
            return not lives(int(pid))

        await until("the worker has ended", gone, IN_TIME_SECONDS)
        assert await asyncio.to_thread(server.wait, IN_TIME_SECONDS) == status
    finally:
        server.kill()
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
        server.communicate()
