"""What starts the work of a flow is data: each trigger is attached to the worker that fires it."""

import datetime as dt
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database import Database
from kit.inbox import InboxRow, receive
from kit.inbox.worker import InboxSettings, InboxWorker
from kit.workflows import Runtime
from kit.workflows.schedules import take_in
from process_apis.triggers import Batch, Every, On
from tests.support.databases import keyed

NOW = dt.datetime(2026, 1, 1, 3, tzinfo=dt.UTC)


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = keyed(fresh_database_url)
    yield database
    await database.close()


async def test_a_trigger_calls_its_handler(database: Database) -> None:
    """Once for each event, once for several together, once for each tick."""
    calls: list[tuple[str, list[str]]] = []

    async def on_event(_: AsyncConnection, row: InboxRow) -> None:
        calls.append(("event", [row.key]))

    async def on_batch(_: AsyncConnection, rows: Sequence[InboxRow]) -> None:
        calls.append(("batch", [row.key for row in rows]))

    async def on_tick(_: AsyncConnection, row: InboxRow) -> None:
        calls.append(("tick", [row.occurred_at.isoformat()]))

    runtime = Runtime(database, application="tests", version="1", executor="x", worker=False)
    inbox = InboxWorker(database, InboxSettings(attempts=1))
    for trigger in (On("won", on_event), Batch("won", 2, 3600, on_batch), Every("0 3 * * *", on_tick)):
        trigger.attach(inbox, runtime)
    (schedule,) = runtime.schedules
    for _ in range(2):
        await take_in(database, schedule.name, NOW.isoformat())
    for key in ("a", "b"):
        await receive(
            database, source="crm", id=key, type="won", key=key, data={}, occurred_at=NOW, correlation_id="c"
        )
    await inbox.drain()
    await runtime.close()
    assert sorted(calls) == [
        ("batch", ["a", "b"]),
        ("event", ["a"]),
        ("event", ["b"]),
        ("tick", ["2026-01-01T03:00:00+00:00"]),
    ]
