"""tests/deploy: workers that stand still: stopped, blocked, or stopped together with all others."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from bench.ports import free_port
from deploy.process.silence import counted
from tests.deploy.process.frozen import SILENCE_SECONDS
from tests.support.processes import lives, running
from tests.support.stack import until

# One server, of which each test takes up what the one before has left.
pytestmark = pytest.mark.xdist_group("silence")
PATIENCE_SECONDS = 60


class Server:
    """The server of `tests.deploy.process.frozen`, and its log."""

    def __init__(self, process: Any, port: int, log: Path) -> None:
        self.pid: int = process.pid
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        self.folder = log.parent

    def workers(self) -> set[int]:
        text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return {int(pid) for pid in text.split()}

    def deaths(self) -> list[dict[str, Any]]:
        """The lines of the log that tell of a killed worker."""
        lines = [line for line in self._log.read_bytes().splitlines() if b"worker_killed" in line]
        return [msgspec.json.decode(line) for line in lines]

    async def ask(self, path: str = "/") -> dict[str, int]:
        """An answer on a connection of its own."""
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as http:
            return (await http.get(self.url + path)).json()

    async def until_both_answer(self, *, killed: int | None = None) -> None:
        """Until both do, and know of so many killed ones, if it is said how many."""
        seen: object = None

        async def look() -> bool:
            nonlocal seen
            with suppress(httpx.TransportError):
                told = [await self.ask() for _ in range(10)]
                pids, counts = {each["pid"] for each in told}, {each["killed"] for each in told}
                seen = pids, self.workers(), counts
                return pids == self.workers() and len(pids) == 2 and (killed is None or counts == {killed})
            return False

        try:
            await until("both workers answer", look, PATIENCE_SECONDS)
        except AssertionError as error:
            error.add_note(f"last seen: {seen}; killed: {self.deaths()}")
            raise


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("frozen"), free_port()
    log = folder / "log"
    with log.open("wb") as output:
        module = "tests.deploy.process.frozen"
        with running(module, str(folder), str(port), environ={}, output=output) as process:
            yield Server(process, port, log)


async def test_only_a_worker_that_stands_still_alone_is_killed(server: Server):
    """Stopped together with their supervisor nobody is; one stopped alone is, and nobody waits for longer."""
    await server.until_both_answer(killed=0)
    before = server.workers()
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in (server.pid, *before):
            os.kill(pid, number)
        if number == signal.SIGSTOP:
            await asyncio.sleep(SILENCE_SECONDS * 1.5)  # a pause that is too long is what is tested
    await server.until_both_answer(killed=0)
    stopped = min(before)
    os.kill(stopped, signal.SIGSTOP)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(server.ask() for _ in range(20)))  # half of them at the stopped one's socket
    await server.until_both_answer(killed=1)
    assert before - server.workers() == {stopped}
    (death,) = server.deaths()
    assert (death["pid"], death["level"]) == (stopped, "error")
    assert SILENCE_SECONDS < death["silent_seconds"] < SILENCE_SECONDS + PATIENCE_SECONDS


async def test_a_blocked_loop_is_killed_and_told_with_its_stack(server: Server):
    """The log names the function that did not return."""
    await server.until_both_answer(killed=1)
    with pytest.raises(httpx.TransportError):
        await server.ask("/block")
    await server.until_both_answer(killed=2)
    assert "in stand_still" in server.deaths()[-1]["stack"]


async def test_a_worker_that_dies_again_and_again_ends_nobody_else(server: Server):
    """One that served is replaced at once, however soon it dies again; the server goes on."""
    for _ in range(3):
        await server.until_both_answer()
        os.kill(min(server.workers()), signal.SIGKILL)
    await server.until_both_answer()


async def test_a_worker_that_cannot_start_leaves_the_others_serving(server: Server):
    """It is tried again, after pauses, and counted; once it can start a SIGHUP starts it at once."""
    await server.until_both_answer()
    faulty, dying = server.folder / "faulty", min(server.workers())
    faulty.touch()
    os.kill(dying, signal.SIGKILL)

    async def failed() -> bool:
        with suppress(httpx.TransportError):
            return (await server.ask())["failed"] == 1
        return False

    async def recovered() -> bool:
        return not await failed()

    async def alone() -> bool:
        return len(server.workers()) == 1

    await until("its failed start is counted", failed, PATIENCE_SECONDS)
    await until("it waits for its next start", alone, PATIENCE_SECONDS)
    faulty.unlink()
    os.kill(server.pid, signal.SIGHUP)
    await server.until_both_answer()
    await until("it is counted no more", recovered, PATIENCE_SECONDS)


async def test_a_blocked_worker_ends_with_its_supervisor(server: Server):
    """It handles no signal, but does not outlive a supervisor that was killed; nor do the others."""
    await server.until_both_answer()
    workers, blocked = server.workers(), server.folder / "blocked"
    blocked.unlink(missing_ok=True)
    asking = asyncio.create_task(server.ask("/block"))

    async def stands_still() -> bool:
        return blocked.exists()

    async def gone() -> bool:
        return not any(map(lives, workers))

    await until("one of them is blocked", stands_still, PATIENCE_SECONDS)
    os.kill(server.pid, signal.SIGKILL)
    await until("the workers have ended", gone, PATIENCE_SECONDS)
    with pytest.raises(httpx.TransportError):
        await asking


@pytest.mark.parametrize(
    ("passed", "waited", "silent"),
    [
        (1.0, 0.0, 1.0),
        (1.1, 0.0, 1.0),
        (3600.0, 0.0, 1.0),  # the supervisor was stopped, too
        (1.0, 0.75, 0.25),  # the worker would have run, had there been a processor
        (5.0, 4.0, 0.0),
    ],
)
def test_a_busy_machine_is_no_silence(passed: float, waited: float, silent: float):
    """Only time counts in which the supervisor ran and the worker did not wish to."""
    assert counted(passed, 1.0, waited) == silent
