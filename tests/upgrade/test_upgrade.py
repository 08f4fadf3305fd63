"""tests/upgrade: the database of an earlier release, taken up by this one."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.embedded.tools import run_tool
from kit import audit
from kit.database import Database
from process_apis import app
from process_apis.views.projects.table import projects
from process_apis.views.view import View
from tests.support.deployments import MakeDeployment
from tests.support.servers import create_empty_database, drop_database
from tests.support.stack import Caller, Stack, until
from tests.upgrade.make_dump import DUMPS, EXCEPTIONS, REQUESTS


@pytest.fixture(params=sorted(DUMPS.glob("*.sql")), ids=lambda dump: dump.stem)
def dumped_url(request: pytest.FixtureRequest, addresses: dict[str, str], worker_name: str) -> Iterator[str]:
    """A database as that release left it."""
    dump: Path = request.param
    name = f"release_{worker_name}"
    url = create_empty_database(addresses["database_url"], name)
    run_tool("psql", url, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file", dump)
    yield url
    drop_database(addresses["database_url"], name)


async def test_the_work_of_the_previous_release_is_finished_by_this_one(
    make_deployment: MakeDeployment, dumped_url: str
) -> None:
    """What waited is decided and done, but not by its proposer; the parked is undone; the audit verifies."""
    async with make_deployment("upgraded", dumped_url) as deployment:
        await deployment.start()
        await _refused_to_its_proposer(deployment)
        async with deployment.caller("finance-desk", "fiona.finance") as fiona:
            (waiting,) = (await fiona.get(REQUESTS, status="waiting"))["items"]
            await _account_as_it_was(deployment, waiting)
            decided = await fiona.post(
                f"{REQUESTS}/{waiting['id']}/decision", {"decision": "approve"}, key="upgrade-0001"
            )
            assert decided.status_code == 200, decided.text
            await until("the customer is made", lambda: _is(fiona, f"{REQUESTS}/{waiting['id']}", "done"))
            (case,) = (await fiona.get(EXCEPTIONS, status="open"))["items"]
            undone = await fiona.post(
                f"{EXCEPTIONS}/{case['id']}/resolution",
                {"action": "undo", "reason": "Nobody wants it any more"},
                key="upgrade-0002",
                **{"If-Match": f'"{case["version"]}"'},
            )
            assert undone.is_success, undone.text
            activations = "/process/opportunity-to-project/v1/activations"
            path = f"{activations}/{case['workflow_id']}"
            await until("the parked activation is undone", lambda: _is(fiona, path, "undone"))
            (done,) = (await fiona.get(activations, status="done"))["items"]
        assert done["project_id"]
        customers = await deployment.accounts.erp.console.customers()
        assert [customer.name for customer in customers].count(waiting["legal_name"]) == 1
        await _verified(deployment)
        await _views_can_be_rebuilt(deployment, done["id"])


async def _refused_to_its_proposer(deployment: Stack) -> None:
    """Segregation of duties sees through the change from names to pseudonyms."""
    async with deployment.caller("ci", "olga.operations") as olga:
        (waiting,) = (await olga.get(REQUESTS, status="waiting"))["items"]
        assert waiting["requested_by"] == "olga.operations"
        path = f"{REQUESTS}/{waiting['id']}/decision"
        refused = await olga.post(path, {"decision": "approve"}, key="upgrade-0003")
    assert refused.json()["code"] == "segregation_of_duties"


async def _account_as_it_was(deployment: Stack, waiting: dict[str, Any]) -> None:
    """The dump is of the deployment and not of its CRM, in which the account is read again."""
    query = (
        "SELECT output::jsonb -> 'result' -> 'account' FROM dbos.operation_outputs"
        " WHERE workflow_uuid = :id AND function_name = 'look'"
    )
    async with deployment.database() as database, database.connect() as connection:
        account = (await connection.execute(text(query), {"id": waiting["id"]})).scalar_one()
    address, (tax,), limit = account["billing_address"], account["tax_registrations"], account["credit_limit"]
    await deployment.accounts.crm.console.restore_customer(
        account["id"],
        legal_name=account["legal_name"],
        street=address["line1"],
        city=address["city"],
        postal_code=address["postal_code"],
        country_name=address["country"],
        currency=account["currency"],
        tax_number=tax["number"],
        credit_limit=float(limit["amount"]),
    )


async def _is(person: Caller, path: str, status: str) -> bool:
    return (await person.get(path))["status"] == status


async def _verified(deployment: Stack) -> None:
    """The chain of the old lines and the new ones, whose heads are signed now."""
    async with deployment.database() as database:
        assert (await audit.check(database)).faults == ()
        async with database.connect() as connection:
            query = "SELECT count(*) FILTER (WHERE seal = ''), count(*) FROM enfilade.audit_heads"
            unsigned, signed = (await connection.execute(text(query))).one()
            anchors = await connection.execute(text("SELECT count(*) FROM enfilade.audit_anchors"))
            assert (unsigned, anchors.scalar()) == (0, 1)
            assert signed


async def _views_can_be_rebuilt(deployment: Stack, done: str) -> None:
    """What the old release showed is in events, too: rebuilt from them, each view is what it was."""

    async def rows(connection: AsyncConnection, table: sa.Table) -> list[Any]:
        found = await connection.execute(sa.select(table).order_by(*table.primary_key))
        return [tuple(row) for row in found]

    async def rebuilt(database: Database, view: View) -> bool:
        async with database.begin() as connection:
            before = [await rows(connection, table) for table in view.tables]
            await view.rebuild(connection)
            return [await rows(connection, table) for table in view.tables] == before and all(before)

    async with deployment.database() as database:
        for view in app.views():
            await until(f"{view.name} follows the events", partial(rebuilt, database, view))
        async with database.connect() as connection:
            query = sa.select(projects.c.status).where(projects.c.activation_id == done)
            assert await connection.scalar(query) == "done"
