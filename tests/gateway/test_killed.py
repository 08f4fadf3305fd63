"""tests/gateway: the gateway dies at any moment of a start, and whoever repeats it gets one effect."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest
from sqlalchemy.engine import make_url

from bench.ports import free_port
from tests.gateway.deployment import ORDER, Deployment
from tests.gateway.forge import no_text
from tests.gateway.mortal import TABLES, name_of
from tests.support.forkserver import Forked, piped
from tests.support.processes import lines_of
from tests.support.stack import until

RETRIES = 6
# A reservation that only time sets free would take a minute.
AT_ONCE_SECONDS = 20


@dataclass
class Gateways:
    """The doors forked so far, and a client that goes through any of them."""

    forker: Forked
    http: httpx.AsyncClient
    rows: psycopg.AsyncConnection
    url: str

    async def open(self) -> tuple[int, int]:
        """A new door: its port and process."""
        port = free_port()
        assert self.forker.stdin is not None
        self.forker.stdin.write(f"{port}\n")
        self.forker.stdin.flush()
        (pid,) = await lines_of(self.forker, 1)

        async def live() -> bool:
            try:
                return (await self.http.get(f"http://127.0.0.1:{port}/health/live")).is_success
            except httpx.TransportError:
                return False

        await until(f"the gateway at {port} lives", live)
        return port, int(pid)

    async def place(self, port: int, key: str) -> httpx.Response:
        url = f"http://127.0.0.1:{port}/experience/shop/v1/orders"
        return await self.http.post(url, json=ORDER, headers={"Idempotency-Key": key})

    async def insist(self, ports: tuple[int, ...], key: str) -> bytes:
        """Repeat the request at each gateway in turn until it is accepted; the accepted answer's body."""
        answers: list[bytes] = []

        async def accepted() -> bool:
            for port in ports:
                try:
                    answer = await self.place(port, key)
                except httpx.TransportError:
                    continue
                assert answer.status_code in (202, 409), answer.text
                if answer.status_code == 202:
                    answers.append(answer.content)
                    return True
            return False

        await until("the start is accepted", accepted, AT_ONCE_SECONDS)
        return answers[0]

    async def waits(self, port: int) -> None:
        """Until the gateway waits for a lock."""

        async def look() -> bool:
            query = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
            return await (await self.rows.execute(query, [name_of(port)])).fetchone() is not None

        await until(f"the gateway at {port} waits", look)

    async def count(self, query: LiteralString, key: str) -> int:
        found = await (await self.rows.execute(query, [f"%{key}"])).fetchone()
        assert found is not None
        return found[0]

    @asynccontextmanager
    async def held(self, table: LiteralString) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Nobody writes to the table until the block ends."""
        async with await connect(self.url) as connection:
            await connection.set_autocommit(False)
            await connection.execute("LOCK TABLE " + table + " IN SHARE MODE")
            yield connection.rollback
            await connection.rollback()


async def connect(url: str) -> psycopg.AsyncConnection:
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return await psycopg.AsyncConnection.connect(address, autocommit=True)


@pytest.fixture(scope="module")
async def gateways(keys_folder: Path, database_url: str, deployment: Deployment) -> AsyncIterator[Gateways]:
    """A process that forks doors, the tables of their effects, and a token of ours for all."""
    forker = piped("tests.gateway.mortal", str(keys_folder), database_url)
    auth = {"Authorization": f"Bearer {deployment.token('ci')}"}
    async with httpx.AsyncClient(headers=auth, timeout=30) as http, await connect(database_url) as rows:
        for statement in TABLES:
            await rows.execute(statement)
        yield Gateways(forker, http, rows, database_url)
        await asyncio.to_thread(forker.communicate, "")
        await rows.execute("DROP TABLE asked, effects, marks")


@pytest.fixture(scope="module")
async def survivor(gateways: Gateways) -> int:
    """The port of a gateway that nobody kills."""
    return (await gateways.open())[0]


KEYS: LiteralString = "enfilade.idempotency_keys"
EFFECTS: LiteralString = "SELECT count(*) FROM effects WHERE key LIKE %s"
ASKED: LiteralString = "SELECT count(*) FROM asked WHERE key LIKE %s"
SETTLED: LiteralString = "SELECT count(*) FROM enfilade.idempotency_keys WHERE key LIKE %s AND status = 202"
MOMENTS: dict[str, LiteralString] = {
    "before-reserve": KEYS,
    "after-reserve": "asked",
    "during-hop": "marks",
}


async def storm(gateways: Gateways, ports: tuple[int, ...], key: str) -> "asyncio.Future[list[bytes]]":
    return asyncio.gather(*(gateways.insist(ports, key) for _ in range(RETRIES)))


async def one_effect(gateways: Gateways, retries: "asyncio.Future[list[bytes]]", key: str) -> None:
    """All who repeated got the same answer, and there is one effect of it."""
    assert len(set(await retries)) == 1
    assert await gateways.count(EFFECTS, key) == 1


async def cut_off(first: "asyncio.Task[httpx.Response]") -> None:
    with pytest.raises(httpx.TransportError):
        await first


@pytest.mark.parametrize("moment", MOMENTS)
async def test_killed_before_the_work_is_done(gateways: Gateways, survivor: int, moment: str):
    """Before the reservation, after it, or during the hop: whoever repeats starts it once, at once."""
    port, pid = await gateways.open()
    key = f"killed-{moment}"
    async with gateways.held(MOMENTS[moment]):
        first = asyncio.create_task(gateways.place(port, key))
        await gateways.waits(port)
        retries = await storm(gateways, (port, survivor), key)
        os.kill(pid, signal.SIGKILL)
        await cut_off(first)
        assert await gateways.count(EFFECTS, key) == 0
    await one_effect(gateways, retries, key)


async def test_killed_between_the_work_and_its_answer(gateways: Gateways, survivor: int):
    """The work is done and its answer is not kept: the tier is asked again, and does nothing twice."""
    port, pid = await gateways.open()
    key = "killed-before-settle"
    async with gateways.held("asked") as go_on:
        first = asyncio.create_task(gateways.place(port, key))
        await gateways.waits(port)
        async with gateways.held(KEYS):
            await go_on()
            await until("the effect is there", lambda: gateways.count(EFFECTS, key))
            await gateways.waits(port)
            retries = await storm(gateways, (port, survivor), key)
            os.kill(pid, signal.SIGKILL)
            await cut_off(first)
            assert await gateways.count(SETTLED, key) == 0
    await one_effect(gateways, retries, key)
    assert await gateways.count(ASKED, key) == 2


async def test_killed_after_the_answer_is_kept(gateways: Gateways, survivor: int):
    """Whether or not the first caller still got it, the others get the kept answer, and no tier is asked."""
    port, pid = await gateways.open()
    key = "killed-after-settle"
    first = asyncio.create_task(gateways.place(port, key))
    await until("the answer is kept", lambda: gateways.count(SETTLED, key))
    os.kill(pid, signal.SIGKILL)
    await asyncio.gather(first, return_exceptions=True)
    await one_effect(gateways, await storm(gateways, (port, survivor), key), key)
    assert await gateways.count(ASKED, key) == 1


async def test_told_to_end_a_door_writes_what_it_has_noted(gateways: Gateways, deployment: Deployment):
    """SIGTERM right after the last answer: every write is in the audit, whatever token somebody came with."""
    port, pid = await gateways.open()
    hostile = {"Authorization": f"Bearer {no_text(deployment)}"}
    url = f"http://127.0.0.1:{port}/experience/shop/v1/orders/o-1/poke"
    await gateways.http.post(url, headers=hostile)
    answers = [await gateways.http.post(url) for _ in range(20)]
    os.kill(pid, signal.SIGTERM)
    ids = [answer.headers["correlation-id"] for answer in answers]
    query: LiteralString = "SELECT count(*) FROM enfilade.audit WHERE correlation_id = ANY(%s)"

    async def written() -> bool:
        found = await (await gateways.rows.execute(query, [ids])).fetchone()
        return found == (20,)

    await until("every row is written", written)


async def test_of_a_storm_on_living_doors_one_is_carried_out(gateways: Gateways, survivor: int):
    """Without any death too: one effect, one answer, and the tier is asked once."""
    port, _ = await gateways.open()
    key = "storm-on-the-living"
    await one_effect(gateways, await storm(gateways, (port, survivor), key), key)
    assert await gateways.count(ASKED, key) == 1
