"""deploy/demo: the deal that is won: an open one of the org, or a new one if none is left."""

from decimal import Decimal
from typing import Any

import msgspec

from deploy.demo.consoles import Record, VendorConsole

_FOLLOWED = "Globex data platform"
_READY = ("Service_Line__c", "Delivery_Template__c", "Expected_Start__c", "Rate_Card__c")
_COPIED = (
    "AccountId", "CurrencyIsoCode", "CloseDate", "Service_Line__c", "Delivery_Region__c", "Pricing_Model__c",
    "Delivery_Template__c", "Rate_Card__c", "Payment_Terms__c", "Expected_Start__c", "Expected_End__c",
)  # fmt: skip
_LINE = ("PricebookEntryId", "Quantity", "UnitPrice")


class Deal(msgspec.Struct, frozen=True):
    """The deal as the CRM has it, with the values that the other systems must have at the end."""

    id: str
    name: str
    account_id: str
    account_name: str
    amount: Decimal
    currency: str
    lines: int
    template: str
    pricing: str


async def choose_deal(crm: VendorConsole) -> Deal:
    """The first open opportunity with all fields filled in, or a follow-up of an old one."""
    opportunities = await crm.records("Opportunity")
    ready = [one for one in opportunities if _is_open(one)]
    chosen = ready[0] if ready else await _follow_up(crm, opportunities)
    account = await crm.record("Account", chosen["AccountId"])
    return Deal(
        id=chosen["Id"],
        name=chosen["Name"],
        account_id=account["Id"],
        account_name=account["Name"],
        amount=Decimal(chosen["Amount"]),
        currency=chosen["CurrencyIsoCode"],
        lines=len(await _lines(crm, chosen["Id"])),
        template=chosen["Delivery_Template__c"],
        pricing=chosen["Pricing_Model__c"],
    )


def _is_open(opportunity: Record) -> bool:
    over = opportunity.get("IsClosed") or opportunity.get("IsDeleted")
    return not over and all(opportunity.get(name) for name in _READY)


async def _follow_up(crm: VendorConsole, opportunities: list[Record]) -> Record:
    """A new opportunity of the same customer: the next phase."""
    phases = [one for one in opportunities if one["Name"].startswith(_FOLLOWED)]
    model = phases[0] if phases else next(one for one in opportunities if one.get("Service_Line__c"))
    lines = await _lines(crm, model["Id"])
    fields: dict[str, Any] = {name: model[name] for name in _COPIED if model.get(name) is not None}
    fields |= {"Name": f"{_FOLLOWED}, phase {len(phases) + 1}", "StageName": "Negotiation/Review"}
    fields["OpportunityLineItems"] = [{name: line[name] for name in _LINE} for line in lines]
    made = await crm.create("Opportunity", fields)
    return await crm.record("Opportunity", made["Id"])


async def _lines(crm: VendorConsole, opportunity_id: str) -> list[Record]:
    found = await crm.records("OpportunityLineItem")
    return [line for line in found if line["OpportunityId"] == opportunity_id and not line.get("IsDeleted")]
