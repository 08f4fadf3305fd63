"""tests/kit: what PostgreSQL refuses is told as what it is, and what waits for it goes on afterwards."""

import secrets
from collections import deque
from collections.abc import Sequence

import psycopg
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from contracts.problems import Unavailable
from kit import problems
from kit.batches import write_apart
from kit.database import Database
from kit.database import refusals as told
from kit.database.tables import deliveries, inbox, leases
from kit.inbox import InboxRow
from kit.inbox.worker import InboxWorker
from tests.kit.test_inbox import QUICK, tell
from tests.support.refusing import refusing

CAUSES = {
    "53100": "disk_full",
    "53200": "out_of_memory",
    "53300": "too_many_connections",
    "53400": "exhausted",
    "25006": "read_only",
    "57P01": "shutting_down",
    "57P02": "shutting_down",
    "57P03": "starting",
    "57014": "cancelled",
    "40P01": "rolled_back",
    "55P03": "locked",
    "58030": "server_fault",
    "XX001": None,
    "54000": None,
    "22003": None,
    "23505": None,
    "42P01": None,
}


async def test_each_error_of_the_database_has_its_cause(database: Database) -> None:
    """A refusal of the server is a 503 with its cause and a Retry-After; a fault of a statement is none."""
    causes = dict[str, str | None]()
    for state in CAUSES:
        raising = text(f"DO $$BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END$$")
        with pytest.raises(Exception, match=r"no|database") as raised:
            async with database.begin() as connection:
                await connection.execute(raising)
        problem = raised.value
        causes[state] = None
        if isinstance(problem, Unavailable):
            causes[state] = str(problem.extra["cause"]).removeprefix("database_")
            assert (problem.status, "Retry-After" in problems.headers(problem)) == (503, True)
    assert causes == CAUSES


async def test_a_read_only_database_is_left(database: Database) -> None:
    """It is told as such, and its connection is closed: the next write reaches the server as it is then."""
    row = insert(leases).values(name="x", holder="x")
    await _set_read_only(database, "on")
    await database.engine.dispose()
    with pytest.raises(Unavailable, match="The database is read-only"):
        async with database.begin() as connection:
            await connection.execute(row)
    assert database.write_refused is told.READ_ONLY
    await _set_read_only(database, "off")
    async with database.begin() as connection:
        await connection.execute(row)


async def _set_read_only(database: Database, value: str) -> None:
    """For new sessions; those that are open keep what they began with."""
    name, operator = make_url(database.url).database, Database(database.url)
    async with operator.begin() as connection:
        await connection.execute(text("SET TRANSACTION READ WRITE"))
        await connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}"))
    await operator.close()


async def test_a_refused_connection_says_why(database: Database) -> None:
    """Connections without SQLSTATE: a limit that is reached, a login that is refused, another database."""
    async with database.begin() as connection:
        await connection.execute(text("CREATE ROLE poor LOGIN CONNECTION LIMIT 0"))
        await connection.execute(text("CREATE ROLE shut NOLOGIN"))
    address = make_url(database.url)
    wanted = {
        address.set(username="poor"): "database_too_many_connections",
        address.set(username="shut"): "database_login_refused",
        address.set(database="nowhere"): "database_no_such_database",
        make_url("postgresql+psycopg://nobody@127.0.0.1:1/none"): "database_unreachable",
    }
    try:
        for url, cause in wanted.items():
            other = Database(url.render_as_string(hide_password=False))
            for asking in (_connect(other), other.locks.take("x")):
                with pytest.raises(Unavailable) as raised:
                    await asking
                assert raised.value.extra["cause"] == cause
            await other.close()
    finally:
        async with database.begin() as connection:
            await connection.execute(text("DROP ROLE poor, shut"))


async def _connect(database: Database) -> None:
    async with database.connect():
        pass


def test_the_log_says_what_to_do_next_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand failures one line is written, with the cause, the SQLSTATE and the remedy."""
    monkeypatch.setattr(told, "_logged", {})
    with capture_logs() as lines:
        for _ in range(1000):
            told.problem_of(psycopg.errors.DiskFull())
    (line,) = lines
    assert (line["cause"], line["sqlstate"]) == ("disk_full", "53100")
    assert "disk space" in line["next_step"]


@pytest.mark.parametrize("state", ["53100", "25006"])
async def test_an_event_waits_for_the_database_and_is_not_parked(database: Database, state: str) -> None:
    """An event whose handler the database refuses has not failed: it is handled once the disk has space."""
    worker, rows = InboxWorker(database, QUICK), []

    async def handle(connection: AsyncConnection, row: InboxRow) -> None:
        await connection.execute(insert(leases).values(name="x", holder="x"))
        rows.append(row.id)

    worker.subscribe("changed", handle)
    await tell(database, 1)
    async with refusing(database, "enfilade.leases", state):
        for _ in range(QUICK.attempts + 1):
            with pytest.raises(Unavailable):
                await worker.drain()
        async with database.connect() as connection:
            assert (await connection.execute(select(deliveries.c.attempts))).scalars().all() in ([], [0])
    await worker.drain()
    async with database.connect() as connection:
        assert (await connection.execute(select(inbox.c.status))).scalars().all() == ["done"]
    assert rows == ["k-1"]


async def test_a_row_beyond_a_limit_of_the_database_is_set_aside(database: Database) -> None:
    """A key too long for its index (54000) never fits: it is the row's fault, and the others are written."""
    aside: list[str] = []

    async def write(names: Sequence[str]) -> None:
        async with database.begin() as connection:
            await connection.execute(insert(leases), [{"name": name, "holder": ""} for name in names])

    async def set_aside(name: str, _: Exception) -> None:
        aside.append(name)

    long = secrets.token_hex(8000)
    await write_apart(deque(["a", long, "b"]), write, set_aside)
    assert aside == [long]
