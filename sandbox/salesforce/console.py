"""The Salesforce stand-in's console: what a salesperson of Northbeam does and sees in its screens."""

from decimal import Decimal
from typing import Any

from sandbox.core.console import Console, Deal, Record

_STREAMS = 2  # opportunities and accounts
_OPEN = "Negotiation/Review"
_STAGES = {"open": _OPEN, "won": "Closed Won", "lost": "Closed Lost"}
_DEAL = {
    "name": "Name",
    "customer_id": "AccountId",
    "stage": "StageName",
    "close_date": "CloseDate",
    "currency": "CurrencyIsoCode",
    "amount": "Amount",
    "service_line": "Service_Line__c",
    "region": "Delivery_Region__c",
    "pricing_model": "Pricing_Model__c",
    "delivery_template": "Delivery_Template__c",
    "rate_card": "Rate_Card__c",
    "payment_terms": "Payment_Terms__c",
    "expected_start": "Expected_Start__c",
    "expected_end": "Expected_End__c",
    "project_id": "Project_Id__c",
    "project_url": "Project_Url__c",
    "project_status": "Activation_Status__c",
}
_COPIED = set(_DEAL) - {"stage", "name", "amount", "project_id", "project_url", "project_status"}
_CUSTOMER = {
    "legal_name": "Name",
    "street": "BillingStreet",
    "city": "BillingCity",
    "postal_code": "BillingPostalCode",
    "country": "BillingCountryCode",
    "country_name": "BillingCountry",
    "currency": "CurrencyIsoCode",
    "tax_number": "Tax_Number__c",
    "credit_limit": "Credit_Limit__c",
    "industry": "Industry",
}
_LINE = ("PricebookEntryId", "Quantity", "UnitPrice")
_LABELS = {
    "stage": _STAGES,
    "service_line": {"DATA": "Data & Analytics", "CLOUD": "Cloud Migration", "MANAGED": "Managed Services"},
    "region": {"UKI": "UK & Ireland", "NA": "North America", "DACH": "DACH"},
    "pricing_model": {
        "fixed_price": "Fixed price",
        "time_and_materials": "Time & materials",
        "retainer": "Retainer",
    },
}
_CODES = {name: {label: code for code, label in labels.items()} for name, labels in _LABELS.items()}


class SalesforceConsole(Console):
    """A CRM: opportunities and accounts."""

    title = "Salesforce"

    async def is_listened_to(self) -> bool:
        counted = await self.screens.count_calls(method="GRPC", path="Subscribe")
        return int(counted["count"]) >= _STREAMS

    async def deals(self) -> list[Deal]:
        accounts = {one["Id"]: one for one in await self.screens.records("Account")}
        lines = await self.screens.records("OpportunityLineItem")
        return [
            _deal(one, accounts[one["AccountId"]], lines)
            for one in await self.screens.records("Opportunity")
            if not one.get("IsDeleted") and one.get("AccountId") in accounts
        ]

    async def deal(self, deal_id: str) -> Deal:
        one = await self.screens.record("Opportunity", deal_id)
        account = await self.screens.record("Account", one["AccountId"])
        return _deal(one, account, await self.screens.records("OpportunityLineItem"))

    async def create_customer(self, **fields: Any) -> str:
        made = await self.screens.create("Account", **_named(_CUSTOMER, fields))
        return made["Id"]

    async def restore_customer(self, customer_id: str, **fields: Any) -> None:
        await self.screens.seed({"Account": [{"Id": customer_id, **_named(_CUSTOMER, fields)}]})

    async def edit_customer(self, customer_id: str, **fields: Any) -> None:
        await self.screens.edit("Account", customer_id, **_named(_CUSTOMER, fields))

    async def create_deal(self, **fields: Any) -> str:
        made = await self.screens.create("Opportunity", **_named(_DEAL, {"stage": "open", **fields}))
        return made["Id"]

    async def edit_deal(self, deal_id: str, **fields: Any) -> None:
        await self.screens.edit("Opportunity", deal_id, **_named(_DEAL, fields))

    async def copy_deal(self, deal_id: str, **fields: Any) -> str:
        model = await self.screens.record("Opportunity", deal_id)
        copied = {_DEAL[name]: model[_DEAL[name]] for name in _COPIED if model.get(_DEAL[name]) is not None}
        lines = _lines_of(await self.screens.records("OpportunityLineItem"), deal_id)
        if lines:
            copied["OpportunityLineItems"] = [{name: line[name] for name in _LINE} for line in lines]
        else:
            copied["Amount"] = model["Amount"]
        made = await self.screens.create(
            "Opportunity", **{**copied, **_named(_DEAL, {"stage": "open", **fields})}
        )
        return made["Id"]


CONSOLE = SalesforceConsole


def _named(names: dict[str, str], fields: Record) -> Record:
    """The fields by Salesforce's names and labels; one of another name is a custom field of the org's own."""
    return {
        names.get(name, name): _LABELS.get(name, {}).get(value, value) if isinstance(value, str) else value
        for name, value in fields.items()
    }


def _deal(one: Record, account: Record, lines: list[Record]) -> Deal:
    values: Record = {}
    for name, label in _DEAL.items():
        value = one.get(label) or ""
        values[name] = _CODES.get(name, {}).get(value, value)
    values["stage"] = {"Closed Won": "won", "Closed Lost": "lost"}.get(one["StageName"], "open")
    values["amount"] = None if one.get("Amount") is None else Decimal(str(one["Amount"]))
    return Deal(id=one["Id"], customer_name=account["Name"], lines=len(_lines_of(lines, one["Id"])), **values)


def _lines_of(lines: list[Record], deal_id: str) -> list[Record]:
    return [line for line in lines if line["OpportunityId"] == deal_id and not line.get("IsDeleted")]
