"""What people typed in the CRM is understood, or a person is asked: no second customer, no wrong tax."""

from decimal import Decimal

from tests.support.deals import approve, new_deal, truth
from tests.support.stack import Stack


async def test_a_firm_that_the_erp_has_under_another_name_is_asked_about_and_taxed_at_home(
    deployment: Stack,
) -> None:
    """The number without its country's letters is the same number, and U.K. is the United Kingdom."""
    await deployment.accounts.netsuite.create(
        "customer",
        companyName="Held by another name",
        subsidiary={"id": "2"},
        vatRegNumber="721 4455 08",
    )
    typed = {"Tax_Number__c": "gb-721.4455.08", "BillingCountryCode": None, "BillingCountry": "U.K."}
    deal = await new_deal(deployment.accounts.salesforce, account=typed, StageName="Closed Won")
    async with (
        deployment.caller("crm-screen") as screen,
        deployment.caller("finance-desk", "fiona") as finance,
    ):
        await screen.activate(deal.opportunity_id)
        asked = await approve(finance, deal)
        await screen.activation(deal.opportunity_id, "done")
    assert [candidate["reasons"] for candidate in asked["candidates"]] == [["same tax number"]]
    (order,) = (await truth(deployment.accounts, deal)).orders
    assert Decimal(str(order["taxTotal"])) == Decimal("19200.00")
