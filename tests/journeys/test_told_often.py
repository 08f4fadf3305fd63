"""Told many times, late, out of order or not at all: one of each, and no error left behind."""

import asyncio

from tests.support.deals import new_deal, truth
from tests.support.instances import CRM_INSTANCE
from tests.support.stack import Stack, until


async def test_fifty_notifications_at_once_make_one_of_each(deployment: Stack) -> None:
    """The same change told fifty times while people press the button: one customer, contract and project."""
    deal = await new_deal(deployment.accounts.crm)
    await deployment.accounts.crm.set_notifications("duplicate", times=1, copies=50)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("operations", "olga") as operations,
    ):
        await deal.close()
        await asyncio.gather(*(screen.activate(deal.opportunity_id) for _ in range(10)))
        await screen.activation(deal.opportunity_id, "done")
        listed = await operations.get(
            "/process/opportunity-to-project/v1/activations",
            instance=CRM_INSTANCE,
            opportunity_id=deal.opportunity_id,
        )
        open_cases = await operations.get("/process/exceptions/v1/exceptions", status="open", limit=200)
    assert len(listed["items"]) == 1
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)
    assert [case for case in open_cases["items"] if deal.opportunity_id in case["subject"]] == []


async def test_reordered_notifications_and_late_commits_make_one_of_each(deployment: Stack) -> None:
    """A vendor that commits after our timeout, and changes told in the wrong order, double nothing."""
    deal = await new_deal(deployment.accounts.crm)
    accounts = deployment.accounts
    for account, noun in ((accounts.erp, "contract"), (accounts.psa, "project")):
        await account.add_fault({"commit_late_ms": 1500}, **account.creates(noun), times=1)
    await deployment.accounts.crm.set_notifications("reorder", times=2)
    await deal.edit(close_date="2026-12-19")
    await deal.close()
    await deployment.accounts.crm.flush_notifications()
    await deployment.accounts.crm.set_notifications("normal")
    async with deployment.caller("crm-screen") as screen:
        await screen.activation(deal.opportunity_id, "done")
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_a_lost_notification_is_found_by_the_cursor(new_deployment: Stack) -> None:
    """The stream says nothing; the polling cursor finds the won deal all the same."""
    new_deployment.set_profile(CRM_INSTANCE, "changes", poll_seconds=0.3)
    await new_deployment.start()
    crm = new_deployment.accounts.crm
    # The org's clock counts whole seconds, and what happened in the second of the mark is no news.
    await crm.advance_clock(2)
    deal = await new_deal(crm)
    await crm.set_notifications("lose", times=10)
    await deal.close()
    async with new_deployment.caller("crm-screen") as screen:
        await screen.activation(deal.opportunity_id, "done")

    async def written_back() -> bool:
        return bool((await deal.opportunity()).project_id)

    await until("the ids are back on the opportunity", written_back)
    assert (await truth(new_deployment.accounts, deal)).counts() == (1, 1, 1)
