"""The views: what they make of the events, that they can be made anew from them, and that they survive."""

import asyncio
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator, Sequence
from itertools import combinations, permutations
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy import event

from contracts.events.kinds import CustomerApproved, ExceptionChanged, WorkflowStatusChanged
from deploy.cli import main as cli
from kit import clock, retention
from kit.database import Database
from kit.database.tables import deliveries, events, inbox
from kit.retention import RetentionSettings
from process_apis import app
from process_apis.views.customers.table import customers
from process_apis.views.exception_cases.table import exception_cases
from process_apis.views.flow_health.table import flow_runs
from process_apis.views.projects import projector
from process_apis.views.projects.table import accounts, projects
from process_apis.views.view import View
from tests.process_apis.histories import happen, renamings, two_activations
from tests.process_apis.projecting import working
from tests.support.databases import keyed
from tests.support.forkserver import fork
from tests.support.stack import until

VIEWS = app.views()
SAMPLED_EVERY = 4
PROJECTING = "tests.process_apis.projecting"

each_view = pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = keyed(fresh_database_url)
    yield database
    await database.close()


async def rows(database: Database, view: View) -> list[list[Any]]:
    """What a view's tables hold."""
    async with database.connect() as connection:
        return [
            [tuple(row) for row in await connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in view.tables
        ]


async def everything(database: Database) -> dict[str, list[list[Any]]]:
    return {view.name: await rows(database, view) for view in VIEWS}


async def rebuilt(database: Database) -> dict[str, list[list[Any]]]:
    """What the views hold when they are made anew from the events."""
    async with database.begin() as connection:
        for view in VIEWS:
            await view.rebuild(connection)
    return await everything(database)


async def test_each_deal_is_shown_as_what_became_of_it(database: Database) -> None:
    """The status is the run's last, also for one that was parked before its terms were known."""
    await happen(database)
    await working(database).drain()
    async with database.connect() as connection:
        amount = projects.c.document["value"]["amount"]
        query = sa.select(projects.c.opportunity_id, projects.c.status, amount)
        found = {row[0]: tuple(row[1:]) for row in await connection.execute(query)}
        account = (await connection.execute(sa.select(accounts.c.name, accounts.c.customer_id))).all()
    assert found == {
        "done": ("done", "900"),
        "parked": ("parked", "1000"),
        "undone": ("undone", "1000"),
        "early": ("running", "50"),
    }
    assert sorted(tuple(row) for row in account) == [("Acme", "cus_1"), ("Bolt Ltd", "cus_2")]


async def test_each_column_is_what_the_last_event_says(database: Database) -> None:
    """Of every object, whichever of its events that is."""
    await happen(database)
    await working(database).drain()
    async with database.connect() as connection:
        written = (await connection.execute(sa.select(events).order_by(events.c.number))).all()
        shown = {
            table: [row._asdict() for row in await connection.execute(sa.select(table))]
            for table in (customers, exception_cases, flow_runs, projects)
        }
    cases = {row.subject: msgspec.convert(row.data, ExceptionChanged) for row in of(written, "exception")}
    assert_each(shown[exception_cases], {case.exception_id: case for case in cases.values()}, "exception_id")
    states = [msgspec.convert(row.data, WorkflowStatusChanged) for row in of(written, "workflow")]
    assert_each(shown[flow_runs], {state.workflow_id: state for state in states}, "workflow_id")
    approved = [msgspec.convert(row.data, CustomerApproved).customer for row in of(written, "customer")]
    assert_each(shown[customers], {customer.id: customer for customer in approved if customer}, "id")
    activations = of(written, "workflow", "activation")
    at = {row.data.get("workflow_id") or row.data["activation_id"]: row.time for row in activations}
    last = {row.data["activation_id"]: row.data for row in of(written, "activation")}
    assert {
        (row["activation_id"], row["account_id"], row["entity"], row["customer_id"], row["updated_at"])
        for row in shown[projects]
    } == {
        (name, data["account_id"], data["selling_entity"], data.get("customer_id", ""), at[name])
        for name, data in last.items()
    }


def of(written: Sequence[Any], *nouns: str) -> list[Any]:
    """The events about kinds of objects."""
    return [row for row in written if row.type.split(".")[1] in nouns]


def assert_each(shown: list[dict[str, Any]], last: dict[str, Any], key: str) -> None:
    """Every row has what the Struct of its last event has; `customer` is the id of one."""
    assert {row[key] for row in shown} == set(last)
    for row in shown:
        fields = msgspec.structs.asdict(last[row[key]])
        document = msgspec.json.decode(msgspec.json.encode(last[row[key]]))
        fields |= {"customer_id": fields.get("customer"), "document": document}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
        assert row == {name: plain[name] for name in row}


async def test_an_account_is_the_same_in_whatever_order_its_events_come(database: Database) -> None:
    """Its newest name that is one, and its newest customer."""
    outcomes: set[tuple[Any, ...]] = set()
    async with database.connect() as connection:
        for order in permutations(renamings()):
            for change in order:
                await projector.take(connection, change)
            outcomes.update(tuple(row) for row in await connection.execute(sa.select(accounts)))
            await connection.rollback()
    at = renamings()[2].occurred_at
    assert outcomes == {("crm-1", "acc-1", "Acme Limited", at, "cus_2", at)}


async def test_a_deal_is_shown_as_its_last_activation_in_whatever_order_events_come(
    database: Database,
) -> None:
    """A late event of an earlier activation of the deal changes nothing."""
    first, second = two_activations()
    outcomes: set[tuple[Any, ...]] = set()
    async with database.connect() as connection:
        for places in combinations(range(4), 2):
            left = {True: iter(first), False: iter(second)}
            for place in range(4):
                await projector.take(connection, next(left[place in places]))
            columns = (projects.c.activation_id, projects.c.status, projects.c.updated_at)
            outcomes.update(tuple(row) for row in await connection.execute(sa.select(*columns)))
            await connection.rollback()
    assert outcomes == {("act_deal:2", "done", second[-1].occurred_at)}


@each_view
async def test_a_view_that_is_rebuilt_equals_the_live_one(database: Database, view: View) -> None:
    """Also while some of the events are not delivered yet (they come again and change nothing)."""
    await happen(database)
    worker = working(database)
    for _ in range(9):
        await worker.handle_one()
    async with database.begin() as connection:
        assert await view.rebuild(connection)
    early = await rows(database, view)
    await worker.drain()
    assert await rows(database, view) == early
    assert all(early), "the history leaves a table of the view empty"


async def test_a_view_is_rebuilt_by_a_command(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that no event explains are gone then; a view that there is not is refused."""
    await happen(database)
    await working(database).drain()
    live = await everything(database)
    async with database.begin() as connection:
        for view in VIEWS:
            for table in view.tables:
                key = list(table.primary_key)[-1]
                one = sa.select(sa.func.min(key)).scalar_subquery()
                await connection.execute(table.update().where(key == one).values({key: "stray"}))
    assert await everything(database) != live
    monkeypatch.setenv("ENFILADE_DATABASE_URL", database.url)
    for view in VIEWS:
        assert await asyncio.to_thread(cli.main, ["views", "rebuild", view.name]) == 0
    assert await everything(database) == live
    assert await asyncio.to_thread(cli.main, ["views", "rebuild", "people"]) == 2


class Killed(BaseException):
    """The process ends here: nothing after this happens, and no handler of an error runs."""


class Killer:
    """Kills after so many statements of a database connection, commits counted among them."""

    def __init__(self, database: Database) -> None:
        self._left = -1
        event.listen(database.engine.sync_engine, "after_cursor_execute", self._count)
        event.listen(database.engine.sync_engine, "commit", self._count)

    def after(self, statements: int) -> None:
        self._left = statements

    @property
    def struck(self) -> bool:
        return self._left == 0

    def _count(self, *_: Any) -> None:
        if self._left > 0:
            self._left -= 1
            if self.struck:
                raise Killed


async def test_projectors_that_are_killed_lose_and_double_nothing(database: Database) -> None:
    """After some of the statements of every delivery, its commit counted among them."""
    await expect_no_loss(database, SAMPLED_EVERY)


@pytest.mark.whole
async def test_projectors_that_are_killed_at_any_statement_lose_and_double_nothing(
    database: Database,
) -> None:
    """After the first, the second and every further statement of each delivery."""
    await expect_no_loss(database, 1)


async def expect_no_loss(database: Database, every: int) -> None:
    """Hand out a history, and kill at one statement in so many: where it begins differs by delivery."""
    await happen(database)
    worker, killer, kills, handled = working(database), Killer(database), 0, 0
    at = first = 1
    while True:
        killer.after(at)
        try:
            if not await worker.handle_one():
                break
        except Killed:
            kills, at = kills + 1, at + every
            continue
        handled += 1
        at = first = first % every + 1
    killer.after(-1)
    async with database.connect() as connection:
        found = await connection.execute(sa.select(deliveries.c.status, deliveries.c.attempts))
        assert {tuple(row) for row in found} == {("done", 0)}
    assert kills > handled
    assert await everything(database) == await rebuilt(database)


async def test_a_process_that_is_killed_while_it_projects_loses_nothing(database: Database) -> None:
    """SIGKILL while a projector waits for its table, which another has locked; the next process goes on."""
    await happen(database)
    async with database.begin() as lock:
        await lock.execute(sa.text(f"LOCK TABLE {projects} IN ACCESS EXCLUSIVE MODE"))
        process = fork(PROJECTING, database.url, environ=os.environ, stdout=sys.stderr.fileno())
        try:
            await until("a project is being written", lambda: _somebody_waits(database))
        finally:
            process.kill()
            process.wait()
    # Until the server sees that it is gone, the rows that it has written stay locked.
    await until("every delivery is done", lambda: _drained(database))
    assert await everything(database) == await rebuilt(database)


async def _somebody_waits(database: Database) -> bool:
    query = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = cast(:name AS regclass)")
    async with database.connect() as connection:
        return bool(await connection.scalar(query, {"name": str(projects)}))


async def _drained(database: Database) -> bool:
    await working(database).drain()
    async with database.connect() as connection:
        found = await connection.execute(sa.select(inbox.c.status))
        return set(found.scalars()) <= {"done", "ignored"}


async def test_what_has_ended_leaves_the_views_with_its_events(database: Database) -> None:
    """Runs that ended and exceptions that were resolved expire with the feed; what is open stays."""
    await happen(database)
    await working(database).drain()
    clock.set(clock.now() + dt.timedelta(days=RetentionSettings().events + 1))
    try:
        await retention.run(database, RetentionSettings())
    finally:
        clock.real()
    async with database.connect() as connection:
        open_runs = set((await connection.execute(sa.select(flow_runs.c.workflow_id))).scalars())
        open_cases = list((await connection.execute(sa.select(exception_cases.c.subject))).scalars())
    assert (open_runs, open_cases) == ({"act_parked", "act_early"}, ["parked"])


def test_every_view_is_found_and_served() -> None:
    """A view is a package with a VIEW: nothing else names it."""
    assert {view.name for view in VIEWS} >= {"customers", "projects", "exception_cases", "flow_health"}
    assert {view.interface for view in VIEWS} <= set(app.interfaces())
