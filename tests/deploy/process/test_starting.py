"""tests/deploy: a server that is told to stop while its worker is still starting."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.ports import free_port
from deploy.process.silence import pause_after
from tests.support.forkserver import piped
from tests.support.processes import lines_of, lives, running
from tests.support.stack import until

IN_TIME_SECONDS = 30  # for a worker that would stay for an hour


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


async def test_a_worker_that_hangs_at_every_start_is_started_ever_less_often(tmp_path: Path):
    """The log names what it hangs in and when it is started again; a stop does not wait for that."""
    log = tmp_path / "log"

    async def three_deaths() -> list[dict[str, Any]]:
        lines = [line for line in log.read_bytes().splitlines() if b"worker_killed" in line]
        return [msgspec.json.decode(line) for line in lines[:3]] if len(lines) > 2 else []

    with log.open("wb") as output:
        module = "tests.deploy.process.starting"
        with running(module, str(tmp_path), str(free_port()), "again", environ={}, output=output) as server:
            deaths = await until("it was killed three times", three_deaths, IN_TIME_SECONDS)
            assert [death["again_in"] for death in deaths] == [0.0, 1.0, 2.0]
            assert all(death["starting"] and "in load" in death["stack"] for death in deaths)
            server.terminate()
            assert await asyncio.to_thread(server.wait, IN_TIME_SECONDS) == 0


@pytest.mark.parametrize(("times", "pause"), [(1, 0.0), (2, 60.0), (3, 120.0), (6, 900.0), (9_999, 900.0)])
def test_pauses_between_starts_grow_up_to_a_quarter_of_an_hour(times: int, pause: float):
    """The first time it is started again at once, as any other that was killed."""
    assert pause_after(times, 60.0) == pause
