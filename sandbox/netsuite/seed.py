"""What a fresh NetSuite account holds: Northbeam Advisory's companies, lists, items and old customers."""

from decimal import Decimal
from typing import Any

from sandbox.core import Account
from sandbox.netsuite import schema
from sandbox.netsuite.records import Manner, create
from sandbox.netsuite.schema import TYPES
from sandbox.netsuite.store import stamp

Rows = list[dict[str, Any]]
LISTS: dict[str, Rows] = {
    "currency": [
        {
            "id": "1",
            "name": "GBP",
            "symbol": "GBP",
            "displaySymbol": "£",
            "exchangeRate": 1,
            "isBaseCurrency": True,
        },
        {"id": "2", "name": "USD", "symbol": "USD", "displaySymbol": "$", "exchangeRate": Decimal("0.79")},
        {"id": "3", "name": "EUR", "symbol": "EUR", "displaySymbol": "€", "exchangeRate": Decimal("0.85")},
        {"id": "4", "name": "JPY", "symbol": "JPY", "displaySymbol": "¥", "exchangeRate": Decimal("0.0053")},
    ],
    "subsidiary": [
        {
            "id": "1",
            "name": "Northbeam Group",
            "legalName": "Northbeam Group plc",
            "currency": "1",
            "country": "GB",
        },
        {"id": "2", "name": "Northbeam Advisory Ltd", "currency": "1", "country": "GB", "parent": "1"},
        {"id": "3", "name": "Northbeam Advisory Inc", "currency": "2", "country": "US", "parent": "1"},
        {"id": "4", "name": "Northbeam Advisory GmbH", "currency": "3", "country": "DE", "parent": "1"},
    ],
    "term": [
        {"id": "1", "name": "Net 30", "daysUntilNetDue": 30},
        {"id": "2", "name": "Net 45", "daysUntilNetDue": 45},
        {"id": "3", "name": "Net 60", "daysUntilNetDue": 60},
    ],
    "department": [
        {"id": "1", "name": "Consulting"},
        {"id": "2", "name": "Delivery"},
        {"id": "3", "name": "Finance"},
    ],
    "classification": [
        {"id": "1", "name": "Data & Analytics"},
        {"id": "2", "name": "Cloud Migration"},
        {"id": "3", "name": "Managed Services"},
    ],
    "serviceSaleItem": [
        {"id": "11", "itemId": "Data & Analytics services", "displayName": "Data & Analytics services"},
        {"id": "12", "itemId": "Cloud Migration services", "displayName": "Cloud Migration services"},
        {"id": "13", "itemId": "Managed Services", "displayName": "Managed Services"},
    ],
    "salesTaxItem": [
        {"id": "21", "itemId": "UK-S 20%", "name": "UK-S 20%", "rate": 20, "country": "GB"},
        {
            "id": "22",
            "itemId": "US-exempt services",
            "name": "US-exempt services",
            "rate": 0,
            "country": "US",
        },
        {"id": "23", "itemId": "DE-S 19%", "name": "DE-S 19%", "rate": 19, "country": "DE"},
    ],
    "employee": [
        {
            "id": "7",
            "entityId": "Integration User",
            "firstName": "Integration",
            "lastName": "User",
            "subsidiary": "1",
        },
        {"id": "8", "entityId": "Ana Ruiz", "firstName": "Ana", "lastName": "Ruiz", "subsidiary": "3"},
        {"id": "9", "entityId": "Tom Baker", "firstName": "Tom", "lastName": "Baker", "subsidiary": "2"},
    ],
}
POINTERS = {"currency", "country", "parent", "subsidiary"}
CUSTOMERS: Rows = [
    {
        "companyName": "Hooli Inc",
        "subsidiary": "3",
        "vatRegNumber": "98-7654321",
        "email": "ap@hooli.example",
    },
    {"companyName": "Stark Industries", "subsidiary": "3", "email": "billing@stark.example"},
]
CUSTOM = [
    {"name": "custbody_enfilade_opportunity", "type": "string", "label": "Enfilade opportunity"},
    {"name": "custbody_enfilade_revision", "type": "string", "label": "Enfilade revision"},
]


def seed(account: Account) -> None:
    for kind, rows in LISTS.items():
        account.tables[kind] = {row["id"]: _stored(account, row) for row in rows}
    account.tables["currency"]["4"]["currencyPrecision"] = {"id": "0"}
    for field in CUSTOM:
        for kind in ("salesOrder", "invoice"):
            schema.change(account, {"object": kind, "add_field": field})
    if not account.settings.get("empty"):
        for body in CUSTOMERS:
            create(account, TYPES["customer"], body, Manner(source="ui"))
    # From here on saves are announced; the first day's were not.
    account.extra["seeded"] = True


def _stored(account: Account, row: dict[str, Any]) -> dict[str, Any]:
    pointed = {name: {"id": value} if name in POINTERS else value for name, value in row.items()}
    return {**pointed, "isInactive": False, "lastModifiedDate": stamp(account)}
