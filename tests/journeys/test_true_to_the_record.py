"""What people typed in the CRM is understood, or a person is asked: no second customer, no wrong tax."""

from decimal import Decimal

from tests.support.deals import approve, new_deal, truth
from tests.support.stack import Stack


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
