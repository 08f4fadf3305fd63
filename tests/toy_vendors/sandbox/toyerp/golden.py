"""The Toy ERP stand-in's records as the conformance suites know them: whole, empty, in every state."""

from typing import Any

from sandbox.core.golden import Form, Golden, NounForms, Provoked, Spoil, State, Step

EVENING, MIDNIGHT = "2028-06-30T23:59:59+00:00", "2028-07-01T00:00:00+00:00"
LATE, EARLY = "2028-06-30T23:59:59Z", "2028-07-01T00:00:00Z"


def _money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


MASTER: dict[str, Any] = {
    "legal_name": "Globex Österreich GmbH", "selling_entity": "NB-DE", "currency": "EUR", "payment_terms": "Net 60",
    "trading_name": "Globex", "credit_limit": _money("12345678901.23"), "email": "ap@globex.example",
    "billing_address": {
        "line1": "1 Main St", "line2": "Floor 2", "city": "Linz", "state": "OÖ", "postal_code": "4020",
        "country": "AT",
    },
    "tax_registrations": [{"country": "AT", "number": "ATU12345678"}],
}  # fmt: skip
CUSTOMER: dict[str, Any] = {
    "id": "$customer", "version": "*", "updated_at": LATE, "status": "approved", **MASTER,
}  # fmt: skip
BARE = {"legal_name": "Nothing known", "selling_entity": "NB-UK", "currency": "GBP"}
OWNER = Step("customer", "customers", {"master": BARE})
LACKS = "Toy ERP has none"
CUSTOMERS = NounForms(
    whole=Form(
        (Step("customer", "customers", {"key": "$key", "master": {**MASTER, "parent_id": "7"}}),),
        {**CUSTOMER, "parent_id": "7"},
        at=EVENING,
    ),
    empty=Form(
        (OWNER,),
        {"id": "$customer", "version": "*", "updated_at": EARLY, "status": "approved", **BARE},
        at=MIDNIGHT,
    ),
    states=(
        State("blocked", {"blocked": True}, {"status": "blocked"}),
        State(
            "yen",
            {"master": {**MASTER, "currency": "JPY", "credit_limit": _money("12345678901", "JPY")}},
            {"currency": "JPY", "credit_limit": _money("12345678901", "JPY"), "parent_id": None},
        ),
        State(
            "dinars",
            {"master": {**MASTER, "currency": "KWD", "credit_limit": _money("0.125", "KWD")}},
            {"currency": "KWD", "credit_limit": _money("0.125", "KWD"), "parent_id": None},
        ),
    ),
    lacks=dict.fromkeys(
        (
            "industry",
            "segment",
            "account_owner",
            "other_entities",
            "website",
            "refs",
            "status=prospect",
            "status=proposed",
        ),
        LACKS,
    ),
    many={"customers": {"master": BARE}},
    odd={"master": {}},
    written={
        "customers": (
            {"id": "$customer", "key": "enf-golden", "version": "*", "changed_at": "*", "master": MASTER},
        )
    },
    read_back={**CUSTOMER, "updated_at": "*"},
    edit={"master": {**BARE, "legal_name": "Renamed"}},
)
TERMS: dict[str, Any] = {
    "name": "Globex data platform", "customer_id": "$customer", "opportunity_ref": "006A", "revision": 3,
    "selling_entity": "NB-DE", "value": _money("12345678901.23"), "pricing_model": "fixed_price",
    "payment_terms": "Net 60", "tax_profile": "DE-STD", "start": "2028-02-29", "end": "2028-12-31",
    "lines": [
        {"description": "Build", "quantity": "2.5", "amount": _money("12345678000.20"), "service_line": "DATA",
         "tax_code": "DE-STD"},
        {"description": "Run", "quantity": "1", "amount": _money("901.03"), "service_line": "MANAGED",
         "tax_code": "EXPORT"},
    ],
    "billing_schedule": [
        {"description": "Architecture agreed", "due": "2028-02-29", "amount": _money("0.01")},
        {"description": "Platform live", "due": "2028-12-31", "amount": _money("12345678901.22")},
    ],
    "rate_card_id": "RC-DE-2026",
}  # fmt: skip
LEAST: dict[str, Any] = {
    **{name: TERMS[name] for name in ("name", "customer_id", "selling_entity", "pricing_model", "start", "end")},
    "opportunity_ref": "", "payment_terms": "", "tax_profile": "", "revision": 1, "value": _money("10", "GBP"),
    "lines": TERMS["lines"][:1],
}  # fmt: skip
CONTRACT: dict[str, Any] = {
    "id": "$contract", "version": "*", "updated_at": LATE, "status": "active", "number": "*",
    **{name: value for name, value in TERMS.items() if name != "lines"},
}  # fmt: skip
CONTRACTS = NounForms(
    whole=Form(
        (OWNER, Step("contract", "contracts", {"key": "$key", "status": "active", "terms": TERMS})),
        CONTRACT,
        at=EVENING,
    ),
    empty=Form(
        (OWNER, Step("contract", "contracts", {"terms": LEAST})),
        {
            "id": "$contract", "version": "*", "updated_at": EARLY, "status": "active", "number": "*",
            "name": "Globex data platform", "customer_id": "$customer", "selling_entity": "NB-DE",
            "value": _money("10", "GBP"), "pricing_model": "fixed_price", "start": "2028-02-29", "end": "2028-12-31",
        },
        at=MIDNIGHT,
    ),
    states=(
        State("closed", {"status": "closed"}, {"status": "closed"}),
        *(
            State(model, {"terms": {**TERMS, "pricing_model": model}}, {"pricing_model": model})
            for model in ("time_and_materials", "retainer")
        ),
    ),
    lacks=dict.fromkeys(("refs", "status=draft"), LACKS),
    many={"contracts": {"terms": LEAST}},
    odd={"terms": None},
    owners=(OWNER,),
    written={
        "contracts": (
            {
                "id": "$contract", "key": "enf-golden", "version": "*", "changed_at": "*", "status": "active",
                "terms": TERMS,
            },
        )
    },
    read_back={**CONTRACT, "updated_at": "*"},
    undone={"contracts": ({"status": "closed"},)},
    edit={"status": "closed"},
)  # fmt: skip
_CUSTOMERS = Spoil("GET", "/customers", {"items": [{"id": 5}], "more": False})
_CONTRACTS = Spoil("GET", "/contracts", {"items": [{"id": 5}], "more": False})
GOLDEN = Golden(
    nouns={"customer": CUSTOMERS, "contract": CONTRACTS},
    profile={"changes": {"poll_seconds": 0.05}},
    calls={
        **dict.fromkeys(
            ("get_customer", "get_customer_by_key", "list_customers", "find_customers"), (_CUSTOMERS,)
        ),
        **dict.fromkeys(("get_contract", "get_contract_by_key", "list_contracts"), (_CONTRACTS,)),
    },
    budget={
        **dict.fromkeys(("get_customer", "get_customer_by_key", "list_customers", "find_customers"), 1),
        **dict.fromkeys(("get_contract", "get_contract_by_key", "list_contracts", "put_customer"), 1),
        **dict.fromkeys(("put_contract", "close_contract"), 2),
    },
    stamps=frozenset({"version", "changed_at"}),
    findings=(Provoked("login", "token", spoils=("POST", "/token"), status=400),),
    unseen={
        "own write": "a document does not say who changed it",
        **dict.fromkeys(("deleted", "merged", "restored"), "a document that is gone is not listed"),
        **{
            f"check:{kind}": "a toy's check looks at the login only"
            for kind in ("permission", "field", "limit", "environment", "reference")
        },
    },
    equivalent={
        "every customer is approved": "so they are",
        "an unmapped entity is the first": "a document has our own code",
        **dict.fromkeys(
            ("every contract is of a fixed price", "a start is invented"),
            "a document is a draft, which must have it",
        ),
    },
)
