"""tests/gateway: workers come and go under load, by the real server over real sockets."""

import asyncio
import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.ports import free_port
from deploy.process.connection_draining import serving_file
from tests.gateway.deployment import ORDER, Deployment
from tests.gateway.feed import FEED
from tests.support.processes import running
from tests.support.signing_keys import share_signing_keys
from tests.support.stack import until

ORDERS = "/experience/shop/v1/orders"
PATIENCE_SECONDS = 60
CLIENTS = 12
WORKERS = 2
PENDING_HEADS = 50  # of one address, in a worker
PAUSE_SECONDS = 0.5  # well under what the server gives an idle connection here


class Served:
    """The demo house under the real server with two workers."""

    def __init__(self, folder: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.folder = folder
        self.port = port
        self.process = process
        self.url = f"http://127.0.0.1:{self.port}"
        share_signing_keys(folder / "issuer")
        self.issuer = Deployment(folder / "issuer").issuer

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.mint('ci')}"}

    def workers(self) -> set[int]:
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return {int(pid) for pid in text.split()}

    async def ready(self) -> int:
        """The status of the probe; 0 where nobody answers."""
        try:
            async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
                return (await http.get("/health/ready")).status_code
        except httpx.TransportError:
            return 0

    async def until_ready(self) -> None:
        async def look() -> bool:
            assert self.process.poll() is None, "the server ended"
            serving = [pid for pid in self.workers() if serving_file(self.folder, pid).exists()]
            return len(serving) == WORKERS and await self.ready() == 200

        await until("both workers serve", look, PATIENCE_SECONDS)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[httpx.Response]:
        """An open stream of events."""
        token = self.issuer.mint("ci", scopes=["experience.feed.read"])
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=PATIENCE_SECONDS) as http,
            http.stream("GET", f"{FEED}/topics/a/events", headers=headers) as answer,
        ):
            assert answer.status_code == 200
            yield answer

    def called(self, name: str) -> Path:
        return self.folder / name


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all; the last test of this module stops it."""
    folder, port = tmp_path_factory.mktemp("drained"), free_port()
    environ = {"DRAIN_FOLDER": str(folder), "DRAIN_PORT": str(port)}
    with running("tests.gateway.drained", environ=environ) as process:
        yield Served(folder, port, process)


class Load:
    """Callers who ask one read after the other, and count what they meet.

    Some keep their connection as long as they may, some of these in no hurry; some open one for each request.
    Nobody asks again for what he did not get.
    """

    def __init__(self, served: Served) -> None:
        self.outcomes: Counter[str] = Counter()
        self._port = served.port
        self._stop = False
        self._token = served.headers["Authorization"]

    async def ask(self, *, keeps: bool, pause: float = 0) -> None:
        while not self._stop:
            try:
                await self._ask_on_one_connection(keeps, pause)
            except (OSError, EOFError) as error:
                self.outcomes[repr(error)] += 1

    async def _ask_on_one_connection(self, keeps: bool, pause: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        with closing(writer):
            kept = True
            while kept and not self._stop:
                status, kept = await read_order(reader, writer, self._token, keeps=keeps)
                self.outcomes[status] += 1
                await asyncio.sleep(pause)

    @asynccontextmanager
    async def running(self, pause: float = 0) -> AsyncIterator["Load"]:
        """As fast as they are answered, or with a pause where the test lasts for seconds."""
        kinds: list[dict[str, Any]] = [
            {"keeps": True, "pause": pause},
            {"keeps": True, "pause": PAUSE_SECONDS},
            {"keeps": False, "pause": pause},
        ]
        tasks = [asyncio.create_task(self.ask(**kind)) for kind in kinds * (CLIENTS // len(kinds))]
        try:
            yield self
        finally:
            self._stop = True
            await asyncio.gather(*tasks)

    async def more(self, count: int) -> None:
        """Wait until so many more have been answered."""
        wanted = self.outcomes["200"] + count

        async def look() -> bool:
            return self.outcomes["200"] >= wanted

        await until(f"{count} more are answered", look, PATIENCE_SECONDS)


async def read_order(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, *, keeps: bool
) -> tuple[str, bool]:
    """The status of an answer on a connection, and whether that may be used again."""
    wish = "" if keeps else "Connection: close\r\n"
    writer.write(f"GET {ORDERS}/a HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n{wish}\r\n".encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = re.search(r"\r\ncontent-length: (\d+)\r\n", head)
        await reader.readexactly(int(length[1]) if length else 0)
    return head.split()[1], keeps and "\r\nconnection: close\r\n" not in head


async def test_slow_heads_are_given_up_and_hold_nobody_up(served: Served):
    """Callers who send their headers a byte at a time are cut off, and others are answered meanwhile.

    A connection without a request stays open for longer: a balancer may send its next one at any time.
    """
    await served.until_ready()
    idle, token = await asyncio.open_connection("127.0.0.1", served.port), served.headers["Authorization"]
    fresh = await asyncio.open_connection("127.0.0.1", served.port)
    assert (await read_order(*idle, token, keeps=True))[0] == "200"
    slow = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(40)]
    for _, writer in slow:
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    async with Load(served).running(pause=0.05) as load:
        await load.more(50)

        async def given_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
            for _ in range(200):
                try:
                    writer.write(b"a")
                    await writer.drain()
                    async with asyncio.timeout(0.1):
                        return await reader.read() is not None
                except TimeoutError:
                    continue
                except ConnectionError:
                    return True
            return False

        assert all(await asyncio.gather(*(given_up(*pair) for pair in slow)))
    assert set(load.outcomes) == {"200"}
    for pair in (idle, fresh):
        assert (await read_order(*pair, token, keeps=True))[0] == "200"
    for _, writer in (*slow, idle, fresh):
        writer.close()


async def test_an_address_that_opens_too_many_connections_holds_nobody_up(served: Served):
    """Beyond its bound its connections are closed, though they sent nothing; other addresses are answered."""
    await served.until_ready()
    most = PENDING_HEADS * WORKERS
    flood = [
        await asyncio.open_connection("127.0.0.1", served.port, local_addr=("127.0.0.2", 0))
        for _ in range(3 * most)
    ]
    ends = [asyncio.create_task(reader.read()) for reader, _ in flood]
    async with Load(served).running(pause=0.05) as load:

        async def bounded() -> int:
            left = sum(not end.done() for end in ends)
            return left if left <= most else 0

        assert await until("what is too much is closed", bounded, PATIENCE_SECONDS) == most
        await load.more(20)
    assert set(load.outcomes) == {"200"}
    for end in ends:
        end.cancel()
    await asyncio.gather(*ends, return_exceptions=True)
    for _, writer in flood:
        writer.close()


async def test_a_worker_that_dies_is_replaced_and_the_others_go_on(served: Served):
    """Only what the dead one was answering is lost."""
    await served.until_ready()
    before = served.workers()
    async with Load(served).running() as load:
        await load.more(50)
        os.kill(min(before), signal.SIGKILL)
        await load.more(50)

        async def replaced() -> bool:
            now = served.workers()
            return len(now) == WORKERS and min(before) not in now

        await until("another has taken its place", replaced, PATIENCE_SECONDS)
        await load.more(50)
    lost = sum(count for outcome, count in load.outcomes.items() if outcome != "200")
    assert lost <= CLIENTS


async def test_workers_that_are_started_anew_lose_no_request(served: Served):
    """While SIGHUP replaces every worker, each request is answered, and readers of events are sent on."""
    await served.until_ready()
    before = served.workers()
    async with Load(served).running() as load:
        async with served.events() as events:
            reading = asyncio.create_task(events.aread())
            await load.more(50)
            assert not reading.done()
            served.process.send_signal(signal.SIGHUP)
            assert b"\nretry: " in await reading

        async def replaced() -> bool:
            now = served.workers()
            return len(now) == WORKERS and not now & before

        await until("all workers are new", replaced, PATIENCE_SECONDS)
        await load.more(50)
    assert set(load.outcomes) == {"200"}


async def test_workers_whose_successors_do_not_start_stay(served: Served):
    """After a SIGHUP with a fault in the files the deployment goes on as it was, with no request lost."""
    await served.until_ready()
    before = served.workers()
    async with Load(served).running() as load:
        served.called("faulty").touch()
        served.process.send_signal(signal.SIGHUP)

        async def tried() -> bool:
            return served.called("refused").exists() and served.workers() == before

        await until("a successor has ended", tried, PATIENCE_SECONDS)
        served.called("faulty").unlink()
        await load.more(50)
    assert set(load.outcomes) == {"200"}
    assert served.workers() == before


async def test_a_house_told_to_stop_says_so_finishes_and_ends(served: Served):
    """Readiness goes first; then nothing new is taken, and who was let in is answered, even the longest."""
    await served.until_ready()
    async with httpx.AsyncClient(base_url=served.url, headers=served.headers, trust_env=False) as http:
        async with Load(served).running() as load:
            headers = {"Idempotency-Key": "drained-0001"}
            long = asyncio.create_task(http.post(ORDERS, json=ORDER, headers=headers, timeout=60))

            async def entered() -> bool:
                return served.called("entered").exists()

            await until("the long request is under way", entered, PATIENCE_SECONDS)
            served.process.send_signal(signal.SIGTERM)

            async def told() -> bool:
                return await served.ready() == 503

            await until("it says that it is not ready", told, PATIENCE_SECONDS)

            async def closes() -> bool:
                probe = await http.get(f"{ORDERS}/a")
                return (probe.status_code, probe.headers.get("connection")) == (200, "close")

            await until("its answers close their connections", closes, PATIENCE_SECONDS)
        assert set(load.outcomes) == {"200"}
        silent = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(CLIENTS)]

        async def closed() -> bool:
            return await served.ready() == 0

        await until("nothing new is taken", closed, PATIENCE_SECONDS)
        token = served.headers["Authorization"]
        answers = await asyncio.gather(*(read_order(*pair, token, keeps=True) for pair in silent))
        assert set(answers) == {("200", False)}
        assert not long.done()
        served.called("release").touch()
        assert (await long).status_code == 202
    assert await asyncio.to_thread(served.process.wait, PATIENCE_SECONDS) == 0
    for _, writer in silent:
        writer.close()
