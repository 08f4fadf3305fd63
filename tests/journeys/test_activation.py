"""A won deal becomes a project: by the CRM's event and by a person's button, through a real deployment."""

import asyncio
from decimal import Decimal
from functools import partial

import sqlalchemy as sa

from kit import clock
from kit.database import Database
from kit.database.tables import vendor_calls
from tests.support.deals import LARGE, approve, new_deal, truth
from tests.support.stack import Stack, until

ACTIVATION = "/experience/crm-ui/v1/opportunities/{}/activation"


async def test_closing_a_deal_in_the_crm_makes_customer_contract_and_project(deployment: Stack) -> None:
    """The event alone: approved by finance, one of each at the vendors, the ids back on the opportunity."""
    deal = await new_deal(deployment.accounts.crm, credit_limit=LARGE)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await deal.close()
        asked = await approve(finance, deal)
        assert any("credit limit" in reason for reason in asked["needs_approval_because"])
        activation = await screen.activation(deal.opportunity_id, "done")
        overview = await screen.overview(deal.account_id, "done")
    found = await truth(deployment.accounts, deal)
    assert found.counts() == (1, 1, 1)
    assert found.opportunity.project_id == activation["project"]["id"]
    order = found.orders[0]
    assert order.total == Decimal(96000)
    assert overview["totals"] == [{"amount": "96000.00", "currency": "GBP"}]
    assert (
        sum(Decimal(row["amount"]["amount"]) for row in overview["projects"][0]["billing_schedule"]) == 96000
    )
    assert all(step["status"] == "done" for step in activation["steps"])


async def test_the_button_and_the_event_share_one_workflow(deployment: Stack) -> None:
    """A repeated POST gives the same link; the event that follows starts nothing of its own."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    async with deployment.caller("crm-screen") as screen:
        first, second = await asyncio.gather(
            screen.activate(deal.opportunity_id), screen.activate(deal.opportunity_id)
        )
        await screen.activation(deal.opportunity_id, "done")
        third = await screen.activate(deal.opportunity_id)
    answers = [first, second, third]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert len({answer.json()["status_url"] for answer in answers}) == 1
    assert len({answer.json()["correlation_id"] for answer in answers}) == 1
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_everything_that_is_missing_is_told_at_once(deployment: Stack) -> None:
    """409 with each fault's field, a sentence for a salesperson, and who can fix it; nothing is started."""
    deal = await new_deal(
        deployment.accounts.crm, payment_terms=None, rate_card=None, expected_end="2026-01-01"
    )
    async with deployment.caller("crm-screen") as screen:
        answer = await screen.activate(deal.opportunity_id)
        nothing = await screen.find(ACTIVATION.format(deal.opportunity_id))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "activation_blocked")
    assert {fault["pointer"] for fault in problem["errors"]} >= {
        "/stage",
        "/payment_terms",
        "/rate_card",
        "/expected_end",
    }
    assert all(fault["field"] and fault["detail"] and fault["fixed_by"] for fault in problem["errors"])
    assert nothing is None


async def test_a_vendor_that_does_not_answer_in_time_is_checked_by_the_workflow(deployment: Stack) -> None:
    """202 within one request; the workflow checks later and parks what it finds missing."""
    deal = await new_deal(deployment.accounts.crm, rate_card=None)
    # This deal only, and not one of the deployment's own looks at what has changed.
    reading = deployment.accounts.crm.reads(record_id=deal.opportunity_id)
    await deployment.accounts.crm.add_fault({"latency_ms": 6000}, **reading, times=1)
    async with deployment.caller("crm-screen") as screen:
        answer = await screen.activate(deal.opportunity_id)
        assert answer.status_code == 202, answer.text
        activation = await screen.activation(deal.opportunity_id, "parked")
    assert activation["waiting_for"] == "the deal's owner"
    assert activation["exception_id"]


async def test_the_overview_asks_no_vendor(deployment: Stack) -> None:
    """It comes from the read model, with its freshness; an account never seen is 404."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    async with deployment.caller("crm-screen") as screen:
        await screen.activate(deal.opportunity_id)
        await screen.activation(deal.opportunity_id, "done")
        await screen.overview(deal.account_id, "done")
        path = "/experience/crm-ui/v1/accounts/{}/overview"
        known = await screen.http.get(path.format(deal.account_id))
        unknown = await screen.http.get(path.format("001000000000000AAA"))
    ours = [answer.headers["correlation-id"] for answer in (known, unknown)]
    async with deployment.database() as database:
        # Calls are recorded in their order: once one of after the answers is there, all before are, too.
        await until("a later call is recorded", partial(has_call, database, vendor_calls.c.at > clock.now()))
        assert not await has_call(database, vendor_calls.c.correlation_id.in_(ours))
    assert known.json()["age_seconds"] >= 0
    assert unknown.status_code == 404


async def has_call(database: Database, which: sa.ColumnElement[bool]) -> bool:
    async with database.connect() as connection:
        return bool(await connection.scalar(sa.select(sa.exists().where(which))))


async def test_a_customer_that_finance_rejects_parks_the_activation(deployment: Stack) -> None:
    """Nothing is created for it, and the exception says who decided."""
    deal = await new_deal(deployment.accounts.crm, credit_limit=LARGE, stage="won")
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        await approve(finance, deal, "reject")
        activation = await screen.activation(deal.opportunity_id, "parked")
        raised = await finance.get(f"/process/exceptions/v1/exceptions/{activation['exception_id']}")
    assert "rejected" in raised["why"].lower()
    assert (await truth(deployment.accounts, deal)).counts() == (0, 0, 0)


async def test_two_deals_of_one_account_share_one_customer(deployment: Stack) -> None:
    """The second deal finds the customer that the first one made."""
    first = await new_deal(deployment.accounts.crm, stage="won")
    second = await deployment.accounts.crm.console.copy_deal(
        first.opportunity_id, name=f"{first.name} again", stage="won", amount=1000
    )
    async with deployment.caller("crm-screen") as screen:
        for opportunity_id in (first.opportunity_id, second):
            await screen.activate(opportunity_id)
        for opportunity_id in (first.opportunity_id, second):
            await screen.activation(opportunity_id, "done")
        await screen.overview(first.account_id, "done", "done")
    found = await truth(deployment.accounts, first)
    assert (len(found.customers), len(found.open_orders), len(found.clients)) == (1, 2, 1)
