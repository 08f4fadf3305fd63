"""tests of NetSuite's room: a customer and its contracts."""

import datetime as dt
from decimal import Decimal
from typing import Any

from contracts.canonical.contract import BillingLine, ContractDraft, ContractLine
from contracts.canonical.customer import CustomerDraft
from contracts.canonical.values import Address, Money, TaxRegistration


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def globex(**more: Any) -> CustomerDraft:
    return CustomerDraft(
        **{
            "legal_name": "Globex Corporation",
            "selling_entity": "NB-US",
            "currency": "USD",
            "payment_terms": "Net 30",
            "billing_address": Address("1 Main St", "Floor 2", "Springfield", "IL", "62701", "US"),
            "tax_registrations": (TaxRegistration("US", "12-3456789"),),
            "credit_limit": usd("250000.00"),
            "email": "ap@globex.example",
            **more,
        }
    )


MILESTONES = (
    BillingLine("Architecture agreed", dt.date(2027, 2, 28), usd("54000.00")),
    BillingLine("Platform live", dt.date(2027, 6, 30), usd("126000.00")),
)
RETAINER = tuple(
    BillingLine(f"Retainer {day:%B %Y}", day, usd("90000.00"), "retainer")
    for day in (dt.date(2027, 1, 11), dt.date(2027, 2, 1))
)
CAP = (
    BillingLine(
        "Time and materials, up to", dt.date(2027, 6, 30), usd("180000.00"), "time_and_materials_cap"
    ),
)


def platform(customer_id: str, **more: Any) -> ContractDraft:
    return ContractDraft(
        **{
            "name": "Globex data platform",
            "customer_id": customer_id,
            "opportunity_ref": "006A",
            "revision": 1,
            "selling_entity": "NB-US",
            "value": usd("180000.00"),
            "pricing_model": "fixed_price",
            "payment_terms": "Net 30",
            "tax_profile": "US-SERVICES",
            "start": dt.date(2027, 1, 11),
            "end": dt.date(2027, 6, 30),
            "lines": (
                ContractLine("Discovery", Decimal(3), usd("60000.00"), "DATA", "US-SERVICES"),
                ContractLine("Build", Decimal(1), usd("120000.00"), "DATA", "US-SERVICES"),
            ),
            "billing_schedule": MILESTONES,
            **more,
        }
    )
