"""The view of projects: what it makes of the events, and that it can be made anew from them."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import Money
from contracts.events.kinds import ACTIVATION_UPDATED, CUSTOMER_APPROVED, ActivationUpdated
from deploy.cli.main import main
from kit.database import Database
from kit.database.tables import inbox, runs
from kit.inbox import InboxRow, publish
from kit.inbox.worker import InboxSettings, InboxWorker
from kit.workflows.journal import Journal
from process_apis import app
from process_apis.views.projects import VIEW
from process_apis.views.projects.table import projects

QUICK = InboxSettings(first_wait_seconds=0)


class Activation:
    """The journal of an activation, which publishes what the flow's would."""

    def __init__(self, database: Database, deal: str) -> None:
        self.id, self.deal, self.position = f"act_{deal}", deal, 0
        self._database = database
        self._journal = Journal(database, self.id, "opportunity-to-project", "cor_1", deal)

    async def begin(self) -> None:
        row = dict.fromkeys(("id", "engine_id", "fingerprint"), self.id)
        async with self._database.begin() as connection:
            await connection.execute(
                runs.insert().values(**row, flow="f", status="running", correlation_id="cor_1")
            )

    async def show(self, amount: int, **more: Any) -> None:
        value = Money(Decimal(amount), "GBP")
        updated = ActivationUpdated(self.id, "running", "crm-1", self.deal, "acc-1", self.deal, value, **more)
        self.position += 1
        async with self._database.begin() as connection:
            await self._journal.publish_in(connection, f"{self.position}_in", ACTIVATION_UPDATED, updated)

    async def become(self, *statuses: Any) -> None:
        for status in statuses:
            self.position += 1
            await self._journal.update_status(self.position, status=status, text=status)


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = Database(fresh_database_url)
    yield database
    await database.close()


def working(database: Database, projector: Any = VIEW.projector) -> InboxWorker:
    worker = InboxWorker(database, QUICK)
    for kind in VIEW.types:
        worker.subscribe(kind, projector, "projects")
    return worker


async def lives(database: Database) -> None:
    """Four deals with every kind of end and turn, and an event that is none of the view's."""
    done, parked, undone, early = (
        Activation(database, name) for name in ("done", "parked", "undone", "early")
    )
    for activation in (done, parked, undone, early):
        await activation.begin()
    await early.become("parked")  # before its terms were known
    for activation in (done, parked, undone):
        await activation.show(1000)
    await parked.become("parked")
    await done.become("parked", "running", "waiting", "running")
    await undone.become("parked", "running", "undone")
    await done.show(900, project_id="prj_1", start=dt.date(2027, 1, 11))
    await done.become("done")
    await early.become("running")
    await early.show(50)
    async with database.begin() as connection:
        await publish(
            connection, type=CUSTOMER_APPROVED, subject="c", key="c", data={}, correlation_id="cor_1"
        )


async def rows(database: Database) -> list[Any]:
    async with database.connect() as connection:
        found = await connection.execute(sa.select(projects).order_by(projects.c.opportunity_id))
        return [tuple(row) for row in found]


async def test_each_deal_is_shown_as_what_became_of_it(database: Database) -> None:
    """The status is the run's last, also for one that was parked before its terms were known."""
    await lives(database)
    await working(database).drain()
    async with database.connect() as connection:
        query = sa.select(
            projects.c.opportunity_id, projects.c.status, projects.c.document["value"]["amount"]
        )
        found = {row[0]: tuple(row[1:]) for row in await connection.execute(query)}
    assert found == {
        "done": ("done", "900"),
        "parked": ("parked", "1000"),
        "undone": ("undone", "1000"),
        "early": ("running", "50"),
    }


async def test_a_view_that_is_rebuilt_equals_the_live_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while some of the events are not delivered yet (they come again and change nothing)."""
    await lives(database)
    worker = working(database)
    for _ in range(5):
        await worker.handle_one()
    async with database.begin() as connection:
        assert await VIEW.rebuild(connection) == 16
    rebuilt = await rows(database)
    await worker.drain()
    assert await rows(database) == rebuilt
    async with database.begin() as connection:
        await connection.execute(projects.delete())
    monkeypatch.setenv("ENFILADE_DATABASE_URL", database.url)
    assert await asyncio.to_thread(main, ["views", "rebuild", "projects"]) == 0
    assert await rows(database) == rebuilt
    assert await asyncio.to_thread(main, ["views", "rebuild", "people"]) == 2


async def test_a_projector_that_dies_at_any_event_loses_nothing(database: Database) -> None:
    """Every second delivery fails after its row was written: that is rolled back, and it comes again."""
    count = 0

    async def dying(connection: AsyncConnection, row: InboxRow) -> None:
        nonlocal count
        count += 1
        await VIEW.projector(connection, row)
        if count % 2:
            raise RuntimeError

    await lives(database)
    await working(database, dying).drain()
    async with database.begin() as connection:
        statuses = set((await connection.execute(sa.select(inbox.c.status))).scalars())
        live = await connection.execute(sa.select(projects).order_by(projects.c.opportunity_id))
        before = [tuple(row) for row in live]
        await VIEW.rebuild(connection)
    assert statuses == {"done"}
    assert await rows(database) == before


def test_every_view_is_found_and_subscribes() -> None:
    """A view is a package with a VIEW: nothing else names it."""
    assert VIEW in app.views()
