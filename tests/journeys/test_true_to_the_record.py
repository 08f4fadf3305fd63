"""What people typed in the CRM is understood, or a person is asked: nothing is doubled, no tax is wrong."""

from decimal import Decimal
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
from tests.support.stack import Stack, until


async def test_a_firm_that_the_erp_has_under_another_name_is_asked_about_and_taxed_at_home(
    deployment: Stack,
) -> None:
    """The number without its country's letters is the same number, and U.K. is the United Kingdom."""
    await deployment.accounts.erp.console.create_customer(
        name="Held by another name", entity="NB-UK", tax_number="721 4455 08"
    )
    typed = {"tax_number": "gb-721.4455.08", "country": None, "country_name": "U.K."}
    deal = await new_deal(deployment.accounts.crm, account=typed, stage="won")
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        asked = await approve(finance, deal)
        await screen.activation(deal.opportunity_id, "done")
    assert [candidate["reasons"] for candidate in asked["candidates"]] == [["same tax number"]]
    (order,) = (await truth(deployment.accounts, deal)).orders
    assert order.tax == Decimal("19200.00")


async def test_a_client_that_a_person_made_is_taken(deployment: Stack) -> None:
    """Where the PSA has surely the same firm, and only once, its projects are made under it."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    made = await deployment.accounts.psa.console.create_client(name=f"{deal.name} Limited")
    async with deployment.caller("crm-screen") as screen:
        await screen.activate(deal.opportunity_id)
        await screen.activation(deal.opportunity_id, "done")
    found = await truth(deployment.accounts, deal)
    assert (found.counts(), found.clients) == ((1, 1, 1), [])
    assert [project.client_id for project in found.projects] == [made]


async def test_a_doubtful_client_is_a_persons_decision(deployment: Stack) -> None:
    """Of two that may be the firm none is guessed: delivery names one, and nothing is doubled."""
    deal = await new_deal(deployment.accounts.crm, stage="won")
    names = (f"{deal.name} Ltd", f"{deal.name} LLC")
    ids = [await deployment.accounts.psa.console.create_client(name=name) for name in names]
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        case = await _case_about(finance, ids[0])
        assert (case["kind"], case["owner"]) == ("duplicate_candidate", "delivery")
        assert all(each in case["why"] for each in (*names, *ids))
        await resolve(finance, case["id"], "replay", client_id=ids[1])
        await screen.activation(deal.opportunity_id, "done")
    found = await truth(deployment.accounts, deal)
    assert [project.client_id for project in found.projects] == [ids[1]]
    assert [client.id for client in found.clients] == [ids[0]]


async def test_merged_with_a_customer_its_client_is_followed(deployment: Stack) -> None:
    """Finance merges an account with an ERP customer that has a client: the PSA gets no second one."""
    first = await new_deal(deployment.accounts.crm, stage="won")
    second = await new_deal(deployment.accounts.crm, credit_limit=LARGE, stage="won")
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(first.opportunity_id)
        await screen.activation(first.opportunity_id, "done")
        (customer,) = (await truth(deployment.accounts, first)).customers
        await screen.activate(second.opportunity_id)
        await _merge(finance, second, customer.id)
        await screen.activation(second.opportunity_id, "done")
    (client,) = (await truth(deployment.accounts, first)).clients
    found = await truth(deployment.accounts, second)
    assert (found.customers, found.clients) == ([], [])
    assert [project.client_id for project in found.projects] == [client.id]


async def _merge(finance: Any, deal: Deal, customer_id: str) -> None:
    request = await asked(finance, deal)
    body = {"decision": "merge", "merge_with": customer_id}
    answer = await finance.post(
        f"{REQUESTS}/{request['id']}/decision", body, key=f"merge-{deal.opportunity_id}"
    )
    assert answer.status_code == 200, answer.text


async def _case_about(finance: Any, what: str) -> dict[str, Any]:
    """The open case of customer master that names something."""

    async def look() -> Any:
        found = await finance.get(EXCEPTIONS, status="open", flow="customer-master", limit=200)
        return next((item for item in found["items"] if what in item["why"]), None)

    return await until(f"a case is about {what}", look)
