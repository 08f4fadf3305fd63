"""The NetSuite stand-in's records as the conformance suites know them: whole, empty, in every state."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.core.golden import Form, Golden, NounForms, Provoked, Push, Spoil, State, Step

# The last second of a day and the first one of the next, where the integration user lives: in Los Angeles.
EVENING, MIDNIGHT = "2028-07-01T06:59:59+00:00", "2028-07-01T07:00:00+00:00"
LATE, EARLY = "2028-07-01T06:59:59Z", "2028-07-01T07:00:00Z"


def _ref(noun: str) -> dict[str, str]:
    return {"instance": "*", "object": noun, "id": f"${noun}", "url": "*"}


def _key(key: str) -> dict[str, str]:
    return {"instance": "*", "object": "external_id", "id": key}


PARENT = Step("parent", "customer", {"companyName": "Größe Holding SE", "subsidiary": {"id": "4"}})
FIRM: dict[str, Any] = {
    "companyName": "Größe & Söhne GmbH", "externalId": "$key", "isPerson": False, "subsidiary": {"id": "4"},
    "currency": {"id": "3"}, "terms": {"id": "3"}, "parent": {"id": "$parent"}, "entityStatus": {"id": "13"},
    "creditLimit": Decimal("9876543210.05"), "vatRegNumber": "DE 123.456.788", "url": "https://groesse.example",
    "email": "ap@groesse.example", "comments": "Größe",
    "addressBook": {
        "items": [
            {
                "label": "Old", "defaultBilling": False, "defaultShipping": True,
                "addressBookAddress": {"addr1": "Elsewhere 9", "city": "Bonn", "country": {"id": "DE"}},
            },
            {
                "label": "Billing", "defaultBilling": True, "defaultShipping": False,
                "addressBookAddress": {
                    "addr1": "Hauptstr. 1", "addr2": "Hinterhof", "city": "München", "state": "Bayern",
                    "zip": "80331", "country": {"id": "DE"},
                },
            },
        ]
    },
}  # fmt: skip
CUSTOMER: dict[str, Any] = {
    "id": "$customer", "version": "*", "updated_at": LATE, "legal_name": "Größe & Söhne GmbH",
    "status": "approved", "trading_name": "Größe", "parent_id": "$parent", "selling_entity": "NB-DE",
    "billing_address": {
        "line1": "Hauptstr. 1", "line2": "Hinterhof", "city": "München", "state": "Bayern", "postal_code": "80331",
        "country": "DE",
    },
    "tax_registrations": [{"country": "DE", "number": "DE 123.456.788"}], "currency": "EUR",
    "payment_terms": "Net 60", "credit_limit": {"amount": "9876543210.05", "currency": "EUR"},
    "email": "ap@groesse.example", "website": "https://groesse.example",
    "refs": [_ref("customer"), _key("$key")],
}  # fmt: skip
BARE = Step("customer", "customer", {"companyName": "Nothing known", "subsidiary": {"id": "2"}})

CUSTOMERS = NounForms(
    whole=Form((PARENT, Step("customer", "customer", FIRM)), CUSTOMER, at=EVENING, listed={"billing_address": None}),
    empty=Form(
        (BARE,),
        {
            "id": "$customer", "version": "*", "updated_at": EARLY, "legal_name": "Nothing known",
            "status": "approved", "selling_entity": "NB-UK", "currency": "GBP", "refs": [_ref("customer")],
        },
        at=MIDNIGHT,
    ),
    states=(
        State("prospect", {"entityStatus": {"id": "7"}}, {"status": "prospect"}),
        State("on hold", {"creditHoldOverride": {"id": "ON"}}, {"status": "blocked"}),
        State("inactive", {"isInactive": True}, {"status": "blocked"}),
        State("yen", {"currency": {"id": "4"}, "creditLimit": 12345678901},
              {"currency": "JPY", "credit_limit": {"amount": "12345678901", "currency": "JPY"}}),
        State("no credit", {"creditLimit": 0}, {"credit_limit": {"amount": "0.00", "currency": "EUR"}}),
        State("unmapped", {"terms": {"id": "2"}}, {"payment_terms": None}),
        State("another entity", {"subsidiary": {"id": "1"}}, {"selling_entity": None}),
    ),
    lacks={
        "industry": "NetSuite's customer has none",
        "segment": "NetSuite's customer has none",
        "account_owner": "a sales representative is not read",
        "other_entities": "a record beside the customer's: the adapter's own tests show them",
        "status=proposed": "a proposal is ours, until NetSuite has the customer",
    },
    many={"customer": {"companyName": "Firm {n}", "subsidiary": {"id": "2"}, "currency": {"id": "1"}, "entityId": "F{n}"}},
    odd={"creditLimit": "a lot"},
    written={
        "customer": (
            {
                "id": "$customer", "externalId": "enf-golden", "entityId": "*", "isPerson": False, "isInactive": False,
                "entityStatus": {"id": "13"}, "companyName": "Globex Österreich GmbH", "subsidiary": {"id": "4"},
                "currency": {"id": "3"}, "currencyList": {"items": [{"currency": {"id": "3"}}]},
                "terms": {"id": "3"}, "email": "ap@globex.example", "creditLimit": Decimal("12345678901.23"),
                "vatRegNumber": "ATU12345678", "comments": "Globex",
                "addressBook": {
                    "items": [
                        {
                            "id": "*", "label": "Billing", "defaultBilling": True, "defaultShipping": True,
                            "addressBookAddress": {
                                "addressee": "Globex Österreich GmbH", "addr1": "1 Main St", "addr2": "Floor 2",
                                "city": "Linz", "state": "OÖ", "zip": "4020", "country": {"id": "AT"},
                                "addrText": "*",
                            },
                            "addressBookAddress_text": "*",
                        }
                    ]
                },
                "dateCreated": "*", "lastModifiedDate": "*",
            },
        )
    },
    read_back={
        "id": "$customer", "version": "*", "updated_at": "*", "legal_name": "Globex Österreich GmbH",
        "status": "approved", "trading_name": "Globex", "selling_entity": "NB-DE",
        "billing_address": {
            "line1": "1 Main St", "line2": "Floor 2", "city": "Linz", "state": "OÖ", "postal_code": "4020",
            "country": "AT",
        },
        "tax_registrations": [{"country": "AT", "number": "ATU12345678"}], "currency": "EUR",
        "payment_terms": "Net 60", "credit_limit": {"amount": "12345678901.23", "currency": "EUR"},
        "email": "ap@globex.example", "refs": [_ref("customer"), _key("enf-golden")],
    },
    edit={"comments": "Renamed"},
)  # fmt: skip

SCHEDULE = Step(
    "schedule",
    "billingSchedule",
    {
        "name": "Platform", "scheduleType": {"id": "FBM"},
        "milestone": {
            "items": [
                {"milestoneId": 1, "milestoneAmount": Decimal("0.01"), "milestoneDate": "2028-02-29", "comments": "Agreed"},
                {"milestoneId": 2, "milestoneAmount": Decimal("12345678901.22"), "milestoneDate": "2028-12-31", "comments": "Live"},
            ]
        },
    },
)  # fmt: skip
OWNER = Step(
    "customer", "customer", {"companyName": "Golden GmbH", "subsidiary": {"id": "4"}, "currency": {"id": "3"}}
)
ORDER: dict[str, Any] = {
    "externalId": "$key", "entity": {"id": "$customer"}, "subsidiary": {"id": "4"}, "currency": {"id": "3"},
    "terms": {"id": "3"}, "memo": "Platform & Größe", "startDate": "2028-02-29", "endDate": "2028-12-31",
    "orderStatus": {"id": "B"}, "billingSchedule": {"id": "$schedule"},
    "custbody_enfilade_opportunity": "006A", "custbody_enfilade_revision": "3",
    "custbody_rate_card": "RC-DE-2026", "custbody_tax_profile": "DE-STD",
    "item": {
        "items": [
            {"item": {"id": "11"}, "quantity": 2, "amount": Decimal("12345678000.20"), "description": "Build"},
            {"item": {"id": "13"}, "quantity": 1, "amount": Decimal("901.03"), "description": "Run"},
        ]
    },
}  # fmt: skip
CONTRACT: dict[str, Any] = {
    "id": "$contract", "version": "*", "updated_at": LATE, "customer_id": "$customer", "status": "active",
    "value": {"amount": "12345678901.23", "currency": "EUR"}, "name": "Platform & Größe", "number": "*",
    "opportunity_ref": "006A", "selling_entity": "NB-DE", "pricing_model": "fixed_price",
    "billing_schedule": [
        {"description": "Agreed", "due": "2028-02-29", "amount": {"amount": "0.01", "currency": "EUR"}},
        {"description": "Live", "due": "2028-12-31", "amount": {"amount": "12345678901.22", "currency": "EUR"}},
    ],
    "rate_card_id": "RC-DE-2026", "tax_profile": "DE-STD", "payment_terms": "Net 60", "revision": 3,
    "start": "2028-02-29", "end": "2028-12-31", "refs": [_ref("contract"), _key("$key")],
}  # fmt: skip
_LINE = {"item": {"id": "11"}, "quantity": 1, "amount": Decimal("10.00")}


def _line(
    number: int,
    item: str,
    quantity: str,
    amount: str,
    rate: str,
    text: str,
    tax: str,
    *,
    closed: bool = False,
) -> dict[str, Any]:
    return {
        "line": number, "lineUniqueKey": number, "item": {"id": item}, "quantity": Decimal(quantity),
        "amount": Decimal(amount), "rate": Decimal(rate), "description": text, "isClosed": closed,
        "taxCode": {"id": tax}, "price": {"id": "-1"}, "quantityBilled": 0,
    }  # fmt: skip


CONTRACTS = NounForms(
    whole=Form(
        (OWNER, SCHEDULE, Step("contract", "salesOrder", ORDER)),
        CONTRACT,
        at=EVENING,
        listed={"billing_schedule": None, "pricing_model": None, "start": None, "end": None},
    ),
    empty=Form(
        (OWNER, Step("contract", "salesOrder", {"entity": {"id": "$customer"}, "item": {"items": [_LINE]}})),
        {
            "id": "$contract", "version": "*", "updated_at": EARLY, "customer_id": "$customer", "status": "*",
            "value": {"amount": "10.00", "currency": "EUR"}, "number": "*", "selling_entity": "NB-DE",
            "refs": [_ref("contract")],
        },
        at=MIDNIGHT,
    ),
    states=(
        State("pending approval", {"orderStatus": {"id": "A"}}, {"status": "draft"}),
        State("cancelled", {"orderStatus": {"id": "C"}}, {"status": "closed"}),
        State("closed", {}, {"status": "closed"}, then={"item": {"items": [
            {"line": 1, "isClosed": True, **ORDER["item"]["items"][0]},
            {"line": 2, "isClosed": True, **ORDER["item"]["items"][1]},
        ]}}),
    ),
    many={
        "salesOrder": {
            "tranId": "SO-{n}", "entity": {"id": "$customer"}, "subsidiary": {"id": "4"}, "currency": {"id": "3"},
            "exchangeRate": 1, "status": {"id": "F"}, "orderStatus": {"id": "B"}, "subtotal": 10, "taxTotal": 0,
            "discountTotal": 0, "total": 10,
            "item": {"items": [_line(1, "11", "1", "10.00", "10.00", "Build", "23")]},
        }
    },
    odd={"status": None},
    owners=(OWNER,),
    written={
        "billingSchedule": (
            {
                "id": "*", "externalId": "enf-golden-billing", "name": "Globex data platform",
                "scheduleType": {"id": "FBM"}, "frequency": {"id": "MONTHLY"}, "repeatEvery": {"id": "1"},
                "inArrears": False, "isPublic": True,
                "milestone": {
                    "items": [
                        {"milestoneId": 1, "milestoneAmount": Decimal("0.01"), "milestoneDate": "2028-02-29",
                         "comments": "Architecture agreed"},
                        {"milestoneId": 2, "milestoneAmount": Decimal("12345678901.22"), "milestoneDate": "2028-12-31",
                         "comments": "Platform live"},
                    ]
                },
                "dateCreated": "*", "lastModifiedDate": "*",
            },
        ),
        "salesOrder": (
            {
                "id": "$contract", "externalId": "enf-golden", "tranId": "*", "tranDate": "*",
                "entity": {"id": "$customer"}, "subsidiary": {"id": "4"}, "currency": {"id": "3"},
                "exchangeRate": 1, "terms": {"id": "3"}, "memo": "Globex data platform", "startDate": "2028-02-29",
                "endDate": "2028-12-31", "orderStatus": {"id": "B"}, "status": {"id": "F"},
                "billingSchedule": {"id": "*"}, "custbody_enfilade_opportunity": "006A",
                "custbody_enfilade_revision": "3", "custbody_rate_card": "RC-DE-2026",
                "custbody_tax_profile": "DE-STD", "source": {"id": "restWebServices"},
                "item": {"items": [_line(1, "11", "2.5", "12345678000.20", "4938271200.08", "Build", "23"),
                                   _line(2, "13", "1", "901.03", "901.03", "Run", "22")]},
                "subtotal": Decimal("12345678901.23"), "taxTotal": Decimal("2345678820.04"), "discountTotal": 0,
                "total": Decimal("14691357721.27"), "createdDate": "*", "lastModifiedDate": "*",
            },
        ),
    },
    read_back={
        **CONTRACT, "updated_at": "*", "name": "Globex data platform",
        "billing_schedule": [
            {"description": "Architecture agreed", "due": "2028-02-29", "amount": {"amount": "0.01", "currency": "EUR"}},
            {"description": "Platform live", "due": "2028-12-31", "amount": {"amount": "12345678901.22", "currency": "EUR"}},
        ],
        "refs": [_ref("contract"), _key("enf-golden")],
    },
    undone={
        "salesOrder": (
            {
                "status": {"id": "H"},
                "item": {"items": [_line(1, "11", "2.5", "12345678000.20", "4938271200.08", "Build", "23", closed=True),
                                   _line(2, "13", "1", "901.03", "901.03", "Run", "22", closed=True)]},
            },
        )
    },
    edit={"memo": "Renamed"},
)  # fmt: skip


def _signed(credentials: Mapping[str, Any], record: str, at: float) -> tuple[dict[str, str], bytes]:
    """What the account's script sends after a save of a customer: headers and body."""
    event = {
        "eventId": f"event-{record}", "recordType": "customer", "internalId": record, "externalId": None,
        "action": "edit", "lastModified": "2028-07-01T07:00:00Z",
    }  # fmt: skip
    body, stamp = json.dumps(event).encode(), str(int(at))
    digest = hmac.new(credentials["push_secret"].encode(), stamp.encode() + b"." + body, hashlib.sha256)
    signature = f"sha256={digest.hexdigest()}"
    return {"X-NS-Event-Id": event["eventId"], "X-NS-Timestamp": stamp, "X-NS-Signature": signature}, body


_SQL = Spoil("POST", "/suiteql", {"items": [{"links": []}], "hasMore": False})
_CUSTOMER = Spoil("GET", "/record/v1/customer/", {"id": 7, "companyName": None})
_ORDER = Spoil("GET", "/record/v1/salesOrder/", {"id": 7, "memo": None})
_SCHEDULE = Spoil("GET", "/record/v1/billingSchedule/", {"id": 7, "scheduleType": None})
GOLDEN = Golden(
    nouns={"customer": CUSTOMERS, "contract": CONTRACTS},
    schema=tuple(
        {"object": "salesOrder", "add_field": {"name": name, "type": "string"}}
        for name in ("custbody_rate_card", "custbody_tax_profile")
    ),
    profile={
        "changes": {"poll_seconds": 0.05},
        "currencies": {"4": "JPY"},
        "terms": {"2": None},
        "fields": {
            "customer": {"trading_name": "comments"},
            "contract": {"rate_card_id": "custbody_rate_card", "tax_profile": "custbody_tax_profile"},
        },
    },
    mapped={"terms": {"2": "Net 45"}},
    calls={
        "get_customer": (_CUSTOMER,),
        "get_customer_by_key": (_CUSTOMER,),
        "list_customers": (_SQL,),
        "find_customers": (_SQL,),
        "get_contract": (_ORDER, _SCHEDULE),
        "get_contract_by_key": (_ORDER, _SCHEDULE),
        "list_contracts": (_SQL,),
    },
    budget={
        "get_customer": 2,
        "get_customer_by_key": 2,
        "list_customers": 2,
        "find_customers": 2,
        "get_contract": 2,
        "get_contract_by_key": 2,
        "list_contracts": 2,
        "put_customer": 4,
        "put_contract": 3,
        "close_contract": 5,
    },
    findings=(
        Provoked("login", "OAuth 2.0", spoils=("POST", "/oauth2/v1/token"), status=400),
        Provoked("permission", "Customers (Edit)", spoils=("PATCH", "/customer/")),
        Provoked("permission", "table term", settings={"permissions": {"term": "none"}}),
        Provoked(
            "field", "customer.vatRegNumber", schema=({"object": "customer", "remove_field": "vatRegNumber"},)
        ),
        Provoked(
            "field",
            "salesOrder.custbody_none",
            profile={"fields": {"contract": {"revision": "custbody_none"}}},
        ),
        Provoked("reference", "subsidiary 99 (NB-XX)", profile={"entities": {"99": "NB-XX"}}),
        Provoked("reference", "item 99 (ALCHEMY)", profile={"items": {"99": "ALCHEMY"}}),
        Provoked("environment", "currency", profile={"currency": "EUR"}),
        Provoked("environment", "time zone", profile={"time_zone": "Asia/Tokyo"}),
        Provoked("limit", "concurrency", profile={"limits": {"concurrency": 50}}),
    ),
    push=Push(_signed, noun="customer"),
    unseen={
        "deleted": "SuiteQL shows no record that is gone, and the push of a deletion has no record to read",
        "merged": "a merged record is gone, of which SuiteQL shows nothing",
        "restored": "what is deleted does not come back",
    },
    stamps=frozenset({"lastModifiedDate"}),
)
