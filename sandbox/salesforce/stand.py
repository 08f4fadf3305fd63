"""The Salesforce stand-in, as the conformance suites know it."""

from itertools import count
from typing import Any

from sandbox.core.stand import Stand
from sandbox.salesforce.golden import GOLDEN

_NUMBERS = count(1)
_FIELDS = {
    "amount": "Amount",
    "close_date": "CloseDate",
    "expected_start": "Expected_Start__c",
    "expected_end": "Expected_End__c",
    "currency": "CurrencyIsoCode",
}


async def _deal(account: Any, **fields: Any) -> tuple[str, str]:
    """An open opportunity and its account, with fields by their canonical names."""
    name = f"Deal {account.name} {next(_NUMBERS)}"
    currency = fields.get("currency", "GBP")
    customer = await account.create(
        "Account",
        Name=f"{name} Ltd",
        BillingStreet="1 Quay Street",
        BillingCity="Leeds",
        BillingPostalCode="LS1 1AA",
        BillingCountryCode="GB",
        BillingCountry="United Kingdom",
        CurrencyIsoCode=currency,
    )
    deal = {
        "Name": name,
        "AccountId": customer["Id"],
        "StageName": "Negotiation/Review",
        "CloseDate": "2026-12-18",
        "CurrencyIsoCode": currency,
        "Amount": 96000,
        "Service_Line__c": "Cloud Migration",
        "Delivery_Region__c": "UK & Ireland",
        "Pricing_Model__c": "Fixed price",
        "Delivery_Template__c": "DT-CLOUD-MIGRATION",
        "Rate_Card__c": "RC-UK-2026",
        "Payment_Terms__c": "Net 30",
        "Expected_Start__c": "2027-01-11",
        "Expected_End__c": "2027-06-30",
    }
    made = await account.create("Opportunity", **deal | {_FIELDS[name]: one for name, one in fields.items()})
    return made["Id"], customer["Id"]


STAND = Stand(
    reads=("GET", "/query"),
    writes=("POST", "/composite"),
    breaks={"records": [{"Id": 5, "Name": None}], "done": True},
    deal=_deal,
    golden=GOLDEN,
)
