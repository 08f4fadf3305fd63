"""tests/deploy: the internal listener, and the workers among themselves."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from bench.ports import free_port
from deploy.process.internal import Internal, listening
from deploy.process.measuring import Backlog
from deploy.process.peer_metrics import join_peers
from kit.database import Database
from kit.settings import SettingsError
from kit.telemetry import Histogram

counted = Histogram("tests.internal", "Something to count")
counted.series().record(1.0)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = Database(database_url)
    yield found
    await found.close()


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose path leaves room for a socket's name."""
    return tmp_path_factory.mktemp("w")


def sockets(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.sock"))


async def nothing_missing() -> Mapping[str, str]:
    return {}


async def test_whichever_worker_is_asked_tells_the_metrics_of_all(short: Path, database: Database):
    """Every sample says of which worker it is, and what waits in the database is told once."""
    async with join_peers(short) as first, join_peers(short) as second:
        for peers in (first, second):
            app = Internal(None, nothing_missing, peers, Backlog(database))
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://i") as http:
                answer = await http.get("/metrics")
            assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            lines = answer.text.splitlines()
            assert 'tests_internal_seconds_count{worker="0"} 1' in lines
            assert 'tests_internal_seconds_count{worker="1"} 1' in lines
            assert lines.count("# TYPE tests_internal_seconds histogram") == 1
            assert "enfilade_database_up 1" in lines
            assert "enfilade_exceptions_overdue 0" in lines


async def test_a_worker_that_is_gone_leaves_its_number_to_the_next(short: Path):
    """Series are those of a place, not of a process."""
    async with join_peers(short):
        async with join_peers(short):
            assert sockets(short) == ["0.sock", "1.sock"]
        (short / "1.sock").touch()  # as a worker that was killed would leave it
        async with join_peers(short) as third:
            found = await third.families()
    workers = {sample.labels["worker"] for family in found for sample in family.samples}
    assert workers == {"0", "1"}


async def test_with_the_database_away_the_rest_is_told(short: Path, tmp_path: Path):
    """Metrics are there when they are needed most."""
    nowhere = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    async with join_peers(short) as peers:
        told = await Backlog(nowhere).families()
        assert [(family.name, family.samples[0].value) for family in told] == [("enfilade_database_up", 0)]
        assert await peers.families()
    await nowhere.close()


async def test_workers_share_the_internal_address(short: Path, database: Database):
    """Each answers there as long as it lives; nobody but they may have it."""
    address = ("127.0.0.1", free_port())
    async with join_peers(short) as peers:
        app = Internal(None, nothing_missing, peers, Backlog(database))
        async with (
            httpx.AsyncClient(base_url=f"http://{address[0]}:{address[1]}", trust_env=False) as http,
            listening(app, address),
        ):
            async with listening(app, address):
                assert (await http.get("/health/ready")).json() == {
                    "ready": True,
                    "missing": {},
                    "workers_killed": 0,
                    "workers_hung": 0,
                }
            for path in ("/health/live", "/livez", "/readyz"):
                assert (await http.get(path)).status_code == 200
            assert (await http.get("/admin/v1/policy/in-force")).status_code == 404
        server = await asyncio.start_server(lambda _, writer: writer.close(), *address)
        async with server:
            with pytest.raises(SettingsError, match="cannot be had"):
                async with listening(app, address):
                    pass
