"""Who may change what: changes that arrive from a system that does not own the field are never followed."""

from typing import Any

from tests.support.deals import new_deal
from tests.support.stack import Caller, Stack, until

EXCEPTIONS = "/process/exceptions/v1/exceptions"
EVENTS = "/process/events/v1/events"


async def done_deal(deployment: Stack, screen: Caller) -> Any:
    deal = await new_deal(deployment.accounts.crm, stage="won")
    await screen.activate(deal.opportunity_id)
    activation = await screen.activation(deal.opportunity_id, "done")
    return deal, activation["customer"]["id"]


async def test_a_crm_that_changes_an_approved_customers_tax_number_raises_an_exception(
    deployment: Stack,
) -> None:
    """The legal master is the ERP's: the change is not taken over, and finance is told."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal, customer_id = await done_deal(deployment, screen)
        before = await deployment.accounts.erp.console.customers()
        await deployment.accounts.crm.advance_clock(2)
        await deal.edit_account(tax_number="GB999999999")

        async def raised() -> Any:
            found = await finance.get(EXCEPTIONS, status="open", flow="ownership", limit=200)
            return [case for case in found["items"] if case["subject"] == customer_id]

        (case,) = await until("the violation is in the queue", raised)
    assert case["kind"] == "ownership_violation"
    assert "tax registrations" in case["stopped"]
    assert case["owner"] == "finance"
    assert await deployment.accounts.erp.console.customers() == before


async def test_a_crm_may_change_its_own_fields_and_the_change_is_told(deployment: Stack) -> None:
    """The engagement is the CRM's: an event tells the others, and nobody is asked."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal, customer_id = await done_deal(deployment, screen)
        await deployment.accounts.crm.advance_clock(2)
        await deal.edit_account(industry="Energy")

        async def told() -> Any:
            found = await finance.get(EVENTS, type="enfilade.customer.changed.v1", subject=customer_id)
            return found["items"]

        events = await until("the change is told", told)
        cases = await finance.get(EXCEPTIONS, status="open", flow="ownership", limit=200)
    assert events[0]["data"]["fields"] == ["industry"]
    assert [case for case in cases["items"] if case["subject"] == customer_id] == []


async def test_our_own_writes_come_back_and_are_dropped(deployment: Stack) -> None:
    """The vendors' notices of what we wrote start nothing and are no events: no circles."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal, customer_id = await done_deal(deployment, screen)
        other = await new_deal(deployment.accounts.crm, stage="won")
        await screen.activate(other.opportunity_id)
        # By the time that a later deal is through, the echoes of the earlier one have come in.
        await screen.activation(other.opportunity_id, "done")
        events = await finance.get(EVENTS, type="enfilade.customer.changed.v1", subject=customer_id)
        written = await deployment.accounts.erp.calls(**deployment.accounts.erp.creates("customer"))
    assert events.get("items", []) == []
    assert len([call for call in written if deal.account_id in call["path"]]) == 1
