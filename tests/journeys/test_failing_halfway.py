"""A step that fails for good: parked for a person, or undone in reverse; then corrected and replayed."""

from tests.support.deals import Deal, new_deal, resolve, truth
from tests.support.stack import Stack


async def refuse_projects(deployment: Stack) -> None:
    psa = deployment.accounts.psa
    await psa.add_fault(psa.stand.refuses, **psa.creates("project"), times=None)


async def closed_deal(deployment: Stack) -> Deal:
    return await new_deal(deployment.accounts.crm, stage="won")


async def test_a_refusal_parks_and_a_replay_after_the_correction_succeeds(deployment: Stack) -> None:
    """The exception says what, why and what next; nothing is doubled by the replay."""
    await refuse_projects(deployment)
    deal = await closed_deal(deployment)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        parked = await screen.activation(deal.opportunity_id, "parked")
        assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 0)
        await deployment.accounts.psa.clear_faults()
        case = await resolve(finance, parked["exception_id"], "replay")
        await screen.activation(deal.opportunity_id, "done")
    assert case["kind"] == "vendor_rejected"
    assert case["stopped"]
    assert case["why"]
    assert case["what_next"]
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_a_person_may_undo_what_was_made(deployment: Stack) -> None:
    """Undone in reverse: the contract is closed, the customer stays, no half-made project remains."""
    await refuse_projects(deployment)
    deal = await closed_deal(deployment)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        parked = await screen.activation(deal.opportunity_id, "parked")
        await screen.overview(deal.account_id, "parked")
        await deployment.accounts.psa.clear_faults()
        await resolve(finance, parked["exception_id"], "undo")
        await screen.activation(deal.opportunity_id, "undone")
        overview = await screen.overview(deal.account_id, "undone")
    assert "totals" not in overview
    assert (await truth(deployment.accounts, deal)).counts() == (1, 0, 0)


async def test_undone_at_once_then_replayed_it_revives_the_same_objects(new_deployment: Stack) -> None:
    """With on_failure undo: everything is taken back first, and the replay revives it under the same keys."""
    new_deployment.edit("flows.toml", ('on_failure = "park"\ndue_hours', 'on_failure = "undo"\ndue_hours'))
    # The step that takes the link back is refused as well, for as long as we are patient.
    new_deployment.settings["ENFILADE_STEP_PATIENCE_SECONDS"] = "3"
    await new_deployment.start()
    crm = new_deployment.accounts.crm
    await crm.add_fault(crm.stand.refuses, **crm.writes(), times=None)
    deal = await closed_deal(new_deployment)
    async with (
        new_deployment.caller("crm-screen") as screen,
        new_deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        undone = await screen.activation(deal.opportunity_id, "undone")
        await screen.overview(deal.account_id, "undone")
        after_undo = await truth(new_deployment.accounts, deal)
        assert after_undo.counts() == (1, 0, 0)
        await crm.clear_faults()
        await resolve(finance, undone["exception_id"], "replay")
        await screen.activation(deal.opportunity_id, "done")
        overview = await screen.overview(deal.account_id, "done")
    assert overview["totals"] == [{"amount": "96000.00", "currency": "GBP"}]
    found = await truth(new_deployment.accounts, deal)
    assert found.counts() == (1, 1, 1)
    assert [len(found.orders), len(found.projects)] == [1, 1]


async def test_a_missing_term_is_corrected_by_a_person_and_replayed(deployment: Stack) -> None:
    """Corrections given with the resolution take the place of the CRM's values."""
    deal = await new_deal(deployment.accounts.crm, rate_card=None)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await deal.close()
        parked = await screen.activation(deal.opportunity_id, "parked")
        case = await resolve(finance, parked["exception_id"], "replay", rate_card="RC-UK-2026")
        await screen.activation(deal.opportunity_id, "done")
    assert [fault["pointer"] for fault in case["errors"]] == ["/rate_card"]
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)
