"""A deal or its account changes while somebody thinks: what was decided on is what is made, or nothing is."""

from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from kit.database import Database
from kit.database.tables import runs, vendor_calls
from tests.support.deals import LARGE, REQUESTS, Deal, approve, asked, new_deal, resolve, truth
from tests.support.instances import CRM_INSTANCE, ERP_INSTANCE, PSA_INSTANCE
from tests.support.stack import Caller, Stack, until

ACTIVATIONS = "/process/opportunity-to-project/v1/activations"
LATE = 6000  # later than a button waits for the CRM


async def waiting(deployment: Stack, screen: Caller, finance: Caller, **fields: Any) -> tuple[Deal, Any]:
    """A won deal of which finance is asked, and the question."""
    deal = await new_deal(deployment.accounts.crm, credit_limit=LARGE, stage="won", **fields)
    await screen.activate(deal.opportunity_id)
    return deal, await asked(finance, deal)


async def test_a_deal_that_is_lost_while_finance_thinks_is_not_made(deployment: Stack) -> None:
    """The run ends saying so: no order, no project, nothing written on the deal; the customer stays."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal, _ = await waiting(deployment, screen, finance)
        await deal.edit(stage="lost")
        await approve(finance, deal)
        ended = await screen.activation(deal.opportunity_id, "undone")
        overview = await screen.overview(deal.account_id, "undone")
    assert ended["status_text"] == (
        f"{deal.name} is no longer won (its stage is “Closed Lost”): nothing was made of it."
    )
    assert "totals" not in overview
    found = await truth(deployment.accounts, deal)
    assert (found.counts(), found.orders, found.projects) == ((1, 0, 0), [], [])
    assert found.opportunity.project_status != "Activated"


async def test_a_deal_whose_amount_changes_while_finance_thinks_waits_for_a_person(deployment: Stack) -> None:
    """The case says both amounts; replayed, the new one is made, and the old one never was."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal, _ = await waiting(deployment, screen, finance)
        await deal.edit(amount=12000)
        await approve(finance, deal)
        parked = await screen.activation(deal.opportunity_id, "parked")
        assert (await truth(deployment.accounts, deal)).orders == []
        case = await resolve(finance, parked["exception_id"], "replay")
        await screen.activation(deal.opportunity_id, "done")
        overview = await screen.overview(deal.account_id, "done")
    assert overview["totals"] == [{"amount": "12000.00", "currency": "GBP"}]
    assert (case["kind"], case["owner"]) == ("amount_mismatch", "finance")
    assert (case["before"], case["after"]) == (
        {"Amount": "96,000.00 GBP"},
        {"Amount": "12,000.00 GBP"},
    )
    found = await truth(deployment.accounts, deal)
    assert found.counts() == (1, 1, 1)
    assert [order.total for order in found.orders] == [Decimal(12000)]


async def test_an_account_that_changes_while_finance_thinks_is_asked_about_again(deployment: Stack) -> None:
    """The approval was of another limit: the question comes back with both, and nothing is made before."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        deal, first = await waiting(deployment, screen, finance)
        await deal.edit_account(credit_limit=900_000)
        path = f"{REQUESTS}/{first['id']}/decision"
        for wrong in ("eid:enf-cus-1", "999999999"):  # no id of the ERP's, and one of no customer there
            merge = {"decision": "merge", "merge_with": wrong}
            refused = await finance.post(path, merge, key=f"merge-{len(wrong)}-{deal.opportunity_id}")
            fault = refused.json()["errors"][0]
            assert (refused.status_code, fault["pointer"], fault["code"]) == (422, "/merge_with", "unknown")
        await approve(finance, deal)

        async def asked_again() -> Any:
            found = await finance.get(f"{REQUESTS}/{first['id']}")
            return found if found["status"] == "waiting" and found.get("after") else None

        again = await until("finance is asked again", asked_again)
        assert again["before"] == {"Credit limit": "250,000.00 GBP"}
        assert again["after"] == {"Credit limit": "900,000.00 GBP"}
        assert again["needs_approval_because"][0].startswith("Credit limit was 250,000.00 GBP when finance")
        assert "decided_by" not in again
        assert (await truth(deployment.accounts, deal)).customers == []
        answer = await finance.post(path, {"decision": "approve"}, key=f"again-{deal.opportunity_id}")
        assert answer.status_code == 200, answer.text
        await screen.activation(deal.opportunity_id, "done")
    found = await truth(deployment.accounts, deal)
    assert found.counts() == (1, 1, 1)
    assert found.customers[0].credit_limit == Decimal(900_000)


async def test_a_deal_that_is_won_again_while_it_is_taken_back_goes_on(deployment: Stack) -> None:
    """In the same run, whose contract is made once more: the win's own event finds it under way."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    psa, erp = deployment.accounts.psa, deployment.accounts.erp
    await psa.add_fault(psa.stand.refuses, **psa.creates("project"), body=deal.name, times=1)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        parked = await screen.activation(deal.opportunity_id, "parked")
        await deal.edit(stage="lost")
        hold = await erp.hold("after", method="PATCH")
        await resolve(finance, parked["exception_id"], "replay")
        assert await hold.wait(30), "the contract is not taken back"
        await deployment.accounts.crm.advance_clock(2)
        await deal.close()
        await hold.release()
        done = await screen.activation(deal.opportunity_id, "done")
    assert done["id"] == parked["id"]
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_a_deal_that_is_lost_while_it_is_parked_is_taken_back_by_the_replay(deployment: Stack) -> None:
    """What had been made is taken back in reverse, and the run says so."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    psa = deployment.accounts.psa
    await psa.add_fault(psa.stand.refuses, **psa.creates("project"), body=deal.name, times=1)
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        parked = await screen.activation(deal.opportunity_id, "parked")
        await screen.overview(deal.account_id, "parked")
        assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 0)
        await deal.edit(stage="lost")
        await resolve(finance, parked["exception_id"], "replay")
        ended = await screen.activation(deal.opportunity_id, "undone")
    assert ended["status_text"].endswith(
        "is no longer won (its stage is “Closed Lost”): what was made of it was taken back."
    )
    found = await truth(deployment.accounts, deal)
    assert (found.counts(), len(found.orders)) == ((1, 0, 0), 1)
    assert found.opportunity.project_status != "Activated"


async def test_a_deal_that_is_lost_just_before_the_ids_go_back_is_not_written_on(deployment: Stack) -> None:
    """No person and no wait between: the CRM itself refuses the write, and everything is taken back."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    method, path = deployment.accounts.psa.stand.effects[-1]
    held = await deployment.accounts.psa.hold("after", method=method, path=path)
    async with deployment.caller("crm-screen") as screen:
        await screen.activate(deal.opportunity_id)
        assert await held.wait()
        await deal.edit(stage="lost")
        await held.release()
        await screen.activation(deal.opportunity_id, "undone")
    found = await truth(deployment.accounts, deal)
    assert found.counts() == (1, 0, 0)
    assert found.opportunity.project_status != "Activated"
    assert not found.opportunity.project_id


async def test_a_straight_way_costs_no_call_more(deployment: Stack) -> None:
    """Five, ten and at most thirteen; two more of the CRM only where it was so slow that it read again.

    Of the ERP's, two ask for the same firm and two for the customer of the deal; once an hour one more asks
    whether customers there are shared by subsidiaries.
    """
    deal = await new_deal(deployment.accounts.crm)
    async with deployment.caller("crm-screen") as screen:
        await deal.close()
        done = await screen.activation(deal.opportunity_id, "done")
    again = sum(step["title"] == "Read the deal and its account again" for step in done["steps"])

    async def recorded(database: Database) -> list[tuple[str, str]]:
        """Instance and step of each call, once the last of them is there."""
        ours = sa.select(runs.c.correlation_id).where(runs.c.subject == deal.opportunity_id)
        query = sa.select(vendor_calls.c.instance, vendor_calls.c.step).where(
            vendor_calls.c.correlation_id.in_(ours), vendor_calls.c.template.not_like("%/token%")
        )
        async with database.connect() as connection:
            found = [(row.instance, row.step) for row in await connection.execute(query)]
        return found if found.count((CRM_INSTANCE, "write-back")) > 1 else []

    async with deployment.database() as database:
        calls = await until("the last call is recorded", partial(recorded, database))
    found = Counter(instance for instance, _ in calls)
    assert found[CRM_INSTANCE] == 5 + 2 * again
    assert found[ERP_INSTANCE] in (10, 11)
    assert found[PSA_INSTANCE] <= 13


async def test_both_spellings_of_an_id_are_one_deal(deployment: Stack) -> None:
    """Fifteen characters while the CRM is slow, then eighteen: one run, found by either, one of each."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    long, short = deal.opportunity_id, deal.opportunity_id[:15]
    crm = deployment.accounts.crm
    await crm.add_fault({"latency_ms": LATE}, **crm.reads(record_id=long), times=1)
    async with deployment.caller("crm-screen") as screen, deployment.caller("operations") as operations:
        first, second = await screen.activate(short), await screen.activate(long)
        assert (first.status_code, second.status_code) == (202, 202), first.text
        assert first.json()["id"] == second.json()["id"]
        done = await screen.activation(short, "done")
        listed = await operations.get(ACTIVATIONS, opportunity_id=short)
        await screen.overview(deal.account_id[:15], "done")
        wrong = await screen.activate(long[:-1])
    assert (done["id"], done["opportunity_id"]) == (first.json()["id"], long)
    assert [item["id"] for item in listed["items"]] == [done["id"]]
    assert (wrong.status_code, wrong.json()["code"]) == (404, "not_found")
    assert f"“{long[:-1]}” is not the id of any opportunity" in wrong.json()["detail"]
    assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)


async def test_a_customer_that_the_erp_has_blocked_is_asked_about(deployment: Stack) -> None:
    """The next deal of a blocked customer waits for finance, and goes on once it is released."""
    erp = deployment.accounts.erp.console
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        first = await new_deal(deployment.accounts.crm, stage="won")
        await screen.activate(first.opportunity_id)
        await screen.activation(first.opportunity_id, "done")
        (customer,) = (await truth(deployment.accounts, first)).customers
        await erp.block_customer(customer.id)
        second = await _next_deal(first)
        await screen.activate(second)
        parked = await screen.activation(second, "parked")
        await erp.block_customer(customer.id, blocked=False)
        case = await resolve(finance, parked["exception_id"], "replay")
        await screen.activation(second, "done")
    assert "blocked or inactive" in case["why"]
    assert case["owner"] == "finance"
    assert len((await truth(deployment.accounts, first)).orders) == 2


async def test_a_raised_credit_limit_is_asked_about_with_the_next_deal(deployment: Stack) -> None:
    """Finance sees both limits; what it accepts is what the deal after that is compared with."""
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        first = await new_deal(deployment.accounts.crm, stage="won")
        await screen.activate(first.opportunity_id)
        await screen.activation(first.opportunity_id, "done")
        await first.edit_account(credit_limit=900_000)
        second = await _next_deal(first)
        await screen.activate(second)
        parked = await screen.activation(second, "parked")
        assert len((await truth(deployment.accounts, first)).orders) == 1
        case = await resolve(finance, parked["exception_id"], "replay")
        await screen.activation(second, "done")
        third = await _next_deal(first)
        await screen.activate(third)
        await screen.activation(third, "done")
    assert (case["kind"], case["owner"]) == ("approval_required", "finance")
    assert case["before"] == {"Credit limit": "40,000.00 GBP"}
    assert case["after"] == {"Credit limit": "900,000.00 GBP"}


async def _next_deal(deal: Deal) -> str:
    """Another won deal of the same account."""
    return await deal.crm.console.copy_deal(
        deal.opportunity_id, name=f"{deal.name} more", stage="won", amount=1000
    )
