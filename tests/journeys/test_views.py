"""The views in a running deployment: each shows what happened within moments, and equals what is rebuilt."""

import asyncio
import datetime as dt
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database import Database
from process_apis import app
from process_apis.views.view import View
from tests.support.deals import new_deal, resolve
from tests.support.stack import Caller, Stack, until

CUSTOMERS = "/process/customers/v1/customers"
PROJECTS = "/process/projects/v1/projects"
CASES = "/process/exception-cases/v1/cases"
FLOWS = "/process/flow-health/v1/flows"


async def shown(caller: Caller, path: str, **query: Any) -> dict[str, Any]:
    """The one item of a list, as soon as it is there."""

    async def look() -> Any:
        items = (await caller.get(path, **query))["items"]
        return items[0] if len(items) == 1 else None

    return await until(f"{path} {query} has one", look)


async def test_what_happened_is_found_in_every_view(deployment: Stack) -> None:
    """A finished deal by its account, a parked one by its team until it is resolved, and the runs of both."""
    crm = deployment.accounts.crm
    deal, broken = await new_deal(crm, stage="won"), await new_deal(crm, rate_card=None)
    began = dt.datetime.now(dt.UTC)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await asyncio.gather(screen.activate(deal.opportunity_id), broken.close())
        parked = await screen.activation(broken.opportunity_id, "parked")
        await screen.activation(deal.opportunity_id, "done")
        customer = await shown(finance, CUSTOMERS, account_id=deal.account_id, instance="salesforce-main")
        project = await shown(finance, PROJECTS, customer_id=customer["id"], status="done")
        case = await shown(finance, CASES, workflow_id=parked["id"], owner="sales", status="open")
        health = await until("both runs are counted", partial(counted, finance))
        await resolve(finance, parked["exception_id"], "undo")
        await shown(finance, CASES, workflow_id=parked["id"], status="resolved")
    assert (customer["legal_name"], customer["status"]) == (project["account_name"], "approved")
    assert project["opportunity_id"] == deal.opportunity_id
    assert {"project_id", "billing_schedule", "start", "end"} <= project.keys()
    assert (case["exception_id"], case["entity"]) == (parked["exception_id"], "NB-UK")
    assert health["median_seconds"] > 0
    assert began <= dt.datetime.fromisoformat(case["raised_at"])
    assert sum(health["ages"].values()) == sum(health["open"].values())


async def counted(caller: Caller) -> dict[str, Any] | None:
    """How activations are doing, once one is parked and one is done."""
    health = await caller.find(f"{FLOWS}/opportunity-to-project")
    return health if health and health["open"].get("parked") and health["ended"].get("done") else None


@pytest.mark.parametrize("view", app.views(), ids=lambda view: view.name)
async def test_a_live_view_equals_what_is_rebuilt(deployment: Stack, view: View) -> None:
    """As soon as every event is delivered; nothing of the tests before is lost by that."""
    async with deployment.database() as database:
        await until(f"{view.name} follows the events", partial(rebuilt, database, view))


async def rebuilt(database: Database, view: View) -> bool:
    """Whether a view is the same after it was made anew."""
    async with database.begin() as connection:
        before = [await rows(connection, table) for table in view.tables]
        await view.rebuild(connection)
        return [await rows(connection, table) for table in view.tables] == before


async def rows(connection: AsyncConnection, table: sa.Table) -> list[Any]:
    """What a table has."""
    return [tuple(row) for row in await connection.execute(sa.select(table).order_by(*table.primary_key))]
