"""Every end has a way on: another activation, another request, a correction; and the screen says which."""

from typing import Any

from tests.support.deals import (
    EXCEPTIONS,
    LARGE,
    REQUESTS,
    Deal,
    approve,
    asked,
    new_deal,
    resolve,
    truth,
)
from tests.support.stack import Caller, Stack, until


async def refused_project(deployment: Stack, deal: Deal) -> None:
    """Let the PSA refuse the deal's next project."""
    psa = deployment.accounts.psa
    await psa.add_fault(psa.stand.refuses, **psa.creates("project"), body=deal.name, times=1)


async def undone(deployment: Stack, screen: Caller, finance: Caller) -> tuple[Deal, Any]:
    """A deal whose project was refused, and whose contract a person had taken back."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    await refused_project(deployment, deal)
    await screen.activate(deal.opportunity_id)
    parked = await screen.activation(deal.opportunity_id, "parked")
    await resolve(finance, parked["exception_id"], "undo")
    return deal, await screen.activation(deal.opportunity_id, "undone")


async def test_an_undone_deal_is_activated_anew_with_records_of_its_own(deployment: Stack) -> None:
    """Another activation: its own id and contract; what was taken back stays so, and cannot be replayed."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal, ended = await undone(deployment, screen, finance)
        assert "press Activate" in ended["what_next"]
        answer = await screen.activate(deal.opportunity_id)
        done = await screen.activation(deal.opportunity_id, "done")
        path = f"/process/workflows/v1/workflows/{ended['id']}/replay"
        replay = await finance.post(path, {"reason": "again"}, key=f"again-{deal.opportunity_id}")
        await screen.overview(deal.account_id, "done")
    assert answer.status_code == 202, answer.text
    assert done["id"] == f"{ended['id']}:2"
    assert (replay.status_code, done["id"] in replay.json()["detail"]) == (409, True)
    found = await truth(deployment.accounts, deal)
    assert (found.counts(), len(found.orders), len(found.projects)) == ((1, 1, 1), 2, 1)
    assert found.opportunity.project_id == done["project"]["id"]


async def test_a_deal_that_is_won_again_is_activated_anew(deployment: Stack) -> None:
    """Lost while it was parked, then won again: the event begins another activation."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    await refused_project(deployment, deal)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        parked = await screen.activation(deal.opportunity_id, "parked")
        await deal.edit(stage="lost")
        await resolve(finance, parked["exception_id"], "replay")
        await screen.activation(deal.opportunity_id, "undone")
        refused = await screen.activate(deal.opportunity_id)
        await deployment.accounts.crm.advance_clock(2)
        await deal.close()
        await screen.activation(deal.opportunity_id, "done")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "not_won")
    found = await truth(deployment.accounts, deal)
    assert (found.counts(), len(found.orders)) == ((1, 1, 1), 2)


async def test_a_rejected_customer_is_asked_for_again_by_a_later_deal(deployment: Stack) -> None:
    """Finance is told of its rejection; the first deal says what to do, and its button asks again, too."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal = await new_deal(deployment.accounts.crm, credit_limit=LARGE, stage="won")
        await screen.activate(deal.opportunity_id)
        await asked(finance, deal)
        waiting = await screen.activation(deal.opportunity_id, "waiting")
        await approve(finance, deal, "reject")
        parked = await screen.activation(deal.opportunity_id, "parked")
        case = await finance.get(f"{EXCEPTIONS}/{parked['exception_id']}")
        await screen.activate(deal.opportunity_id)
        request = await asked(finance, deal)
        await approve(finance, deal)
        await screen.activation(deal.opportunity_id, "done")
    assert waiting["waiting_for"] == "finance"
    assert "credit limit" in waiting["status_text"]
    assert (parked["waiting_for"], case["owner"]) == ("the deal's owner", "sales")
    assert "seen by the test" in case["why"]
    assert request["needs_approval_because"][0].startswith("It was asked for before: Finance rejected")
    assert request["id"].endswith(":2")
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_undoing_a_customers_request_does_not_strand_its_deal(deployment: Stack) -> None:
    """While the request is parked the deal says who decides on it; undone, the deal stops and may go on."""
    erp = deployment.accounts.erp
    deal = await new_deal(deployment.accounts.crm, stage="won")
    await erp.add_fault(erp.stand.refuses, **erp.creates("customer"), body=deal.name, times=1)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)

        async def stopped() -> Any:
            found = await finance.get(REQUESTS, status="parked", limit=200)
            return [one for one in found["items"] if one["proposal"]["account_id"] == deal.account_id]

        (request,) = await until("the request is parked", stopped)
        shown = await screen.activation(deal.opportunity_id, "waiting")
        why = (await resolve(finance, request["exception_id"], "undo"))["why"]
        parked = await screen.activation(deal.opportunity_id, "parked")
        await screen.activate(deal.opportunity_id)
        await approve(finance, deal)  # whose request was undone is asked about
        await screen.activation(deal.opportunity_id, "done")
    assert (shown["waiting_for"], "could not be set up" in shown["status_text"]) == ("finance", True)
    assert shown["status_text"].endswith(why)
    assert parked["waiting_for"] == "the deal's owner"
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_the_owners_button_goes_on_with_what_waits_for_the_owner(deployment: Stack) -> None:
    """Still wrong: the list again; corrected: the parked run goes on, and nobody had to replay it."""
    deal = await new_deal(deployment.accounts.crm, rate_card=None)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await deal.close()
        parked = await screen.activation(deal.opportunity_id, "parked")
        case = await finance.get(f"{EXCEPTIONS}/{parked['exception_id']}")
        still = await screen.activate(deal.opportunity_id)
        await deal.edit(rate_card="RC-UK-2026")
        answer = await screen.activate(deal.opportunity_id)
        done = await screen.activation(deal.opportunity_id, "done")
        closed = await finance.get(f"{EXCEPTIONS}/{parked['exception_id']}")
    assert (parked["waiting_for"], case["owner"]) == ("the deal's owner", "sales")
    assert "Rate card is empty" in case["why"]
    assert (still.status_code, answer.status_code) == (409, 202)
    assert answer.json()["status_text"].startswith("It goes on by itself")
    assert not answer.json().get("waiting_for")
    assert (done["id"], closed["status"]) == (parked["id"], "resolved")
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_a_corrected_account_is_what_a_replay_makes(deployment: Stack) -> None:
    """The request reads the account anew; a correction that nothing reads is refused, and says why."""
    erp = deployment.accounts.erp
    deal = await new_deal(deployment.accounts.crm, stage="won")
    await erp.add_fault(erp.stand.refuses, **erp.creates("customer"), body=deal.name, times=1)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)

        async def stopped() -> Any:
            found = await finance.get(REQUESTS, status="parked", limit=200)
            return [one for one in found["items"] if one["proposal"]["account_id"] == deal.account_id]

        (request,) = await until("the request is parked", stopped)
        path = f"{EXCEPTIONS}/{request['exception_id']}"
        case = await finance.get(path)
        body = {"action": "replay", "reason": "as told", "corrections": {"credit_limit": "5"}}
        tag = {"If-Match": f'"{case["version"]}"'}
        unread = await finance.post(f"{path}/resolution", body, key=f"unread-{deal.opportunity_id}", **tag)
        await deal.edit_account(credit_limit=39_000)
        await resolve(finance, request["exception_id"], "replay")
        await screen.activation(deal.opportunity_id, "done")
    assert (unread.status_code, unread.json()["errors"][0]["pointer"]) == (422, "/corrections/credit_limit")
    assert "correct the record in the system that owns it" in unread.json()["detail"]
    found = await truth(deployment.accounts, deal)
    assert [int(one.credit_limit or 0) for one in found.customers] == [39_000]


async def another_deal(deal: Deal, name: str) -> Deal:
    """A won deal of the same account."""
    copy = await deal.crm.console.copy_deal(deal.opportunity_id, name=name, stage="won")
    return Deal(deal.crm, deal.account_id, copy, name)


async def test_a_deleted_client_does_not_strand_the_accounts_next_deal(deployment: Stack) -> None:
    """Delivery names the client to take instead, not another customer's; later deals take it unasked."""
    accounts = deployment.accounts
    deal = await new_deal(accounts.crm, stage="won")
    other = await new_deal(accounts.crm, stage="won")
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):

        async def activated(one: Deal) -> None:
            await screen.activate(one.opportunity_id)
            await screen.activation(one.opportunity_id, "done")

        async def parked_again() -> str:
            found = await screen.activation(second.opportunity_id, "parked")
            return found["exception_id"] if found["exception_id"] != parked["exception_id"] else ""

        await activated(deal)
        await activated(other)
        theirs = (await truth(accounts, other)).clients[0].id
        await accounts.psa.delete("workspace_groups", (await truth(accounts, deal)).clients[0].id)
        second = await another_deal(deal, f"{deal.name} II")
        await screen.activate(second.opportunity_id)
        parked = await screen.activation(second.opportunity_id, "parked")
        case = await resolve(finance, parked["exception_id"], "replay", client_id=theirs)
        again = await until("it is parked again", parked_again)
        client = await accounts.psa.console.create_client(name=f"{deal.name} Ltd")
        refused = await resolve(finance, again, "replay", client_id=client)
        await screen.activation(second.opportunity_id, "done")
        third = await another_deal(deal, f"{deal.name} III")
        await activated(third)
    assert case["owner"] == refused["owner"] == "delivery"
    assert "client_id" in case["what_next"]
    assert "another customer's client" in refused["why"]
    projects = {one.name: one for one in await accounts.psa.console.projects() if one.live}
    assert [projects[one.name].client_id for one in (second, third)] == [client, client]
