"""The Toy CRM stand-in's records as the conformance suites know them: whole, empty, in every state."""

from decimal import Decimal
from typing import Any

from sandbox.core.golden import Form, Golden, NounForms, Provoked, Spoil, State, Step

EVENING, MIDNIGHT = "2028-06-30T23:59:59+00:00", "2028-07-01T00:00:00+00:00"
LATE, EARLY = "2028-06-30T23:59:59Z", "2028-07-01T00:00:00Z"
FIRM = Step("customer", "accounts", {"legal_name": "Golden Ltd", "currency": "GBP"})
BARE = Step("opportunity", "deals", {"title": "Nothing known", "state": "open", "account": ""})
DEAL: dict[str, Any] = {
    "title": "Größe <2>", "state": "open", "account": "$customer", "currency": "GBP",
    "amount": Decimal("1234567890123.45"), "close_date": "2028-02-29", "service_line": "DATA", "region": "UKI",
    "pricing_model": "fixed_price", "delivery_template": "DT-DATA-PLATFORM", "rate_card": "RC-UK-2026",
    "payment_terms": "Net 45", "expected_start": "2028-02-29", "expected_end": "2028-12-31", "project_id": "prj_9",
}  # fmt: skip
OPPORTUNITY: dict[str, Any] = {
    "id": "$opportunity", "version": "*", "updated_at": LATE, "name": "Größe <2>", "stage": "open",
    "customer_id": "$customer", "stage_label": "open", "amount": {"amount": "1234567890123.45", "currency": "GBP"},
    "close_date": "2028-02-29", "service_line": "DATA", "region": "UKI", "pricing_model": "fixed_price",
    "delivery_template": "DT-DATA-PLATFORM", "rate_card": "RC-UK-2026", "payment_terms": "Net 45",
    "expected_start": "2028-02-29", "expected_end": "2028-12-31", "project_ref": "prj_9",
}  # fmt: skip
EMPTY: dict[str, Any] = {
    "id": "$opportunity", "version": "*", "updated_at": EARLY, "name": "Nothing known", "stage": "open",
    "stage_label": "open",
}  # fmt: skip
LINK = {"project_id": "prj_1", "project_url": "https://psa.example/1", "project_status": "active"}


def _amount(currency: str, amount: str) -> State:
    fields = {"currency": currency, "amount": Decimal(amount)}
    return State(currency, fields, {"amount": {"amount": amount, "currency": currency}})


OPPORTUNITIES = NounForms(
    whole=Form((FIRM, Step("opportunity", "deals", DEAL)), OPPORTUNITY, at=EVENING),
    empty=Form((BARE,), EMPTY, at=MIDNIGHT),
    states=(
        *(State(word, {"state": word}, {"stage": word, "stage_label": word}) for word in ("won", "lost")),
        *(
            State(word, {"pricing_model": word}, {"pricing_model": word})
            for word in ("time_and_materials", "retainer")
        ),
        _amount("JPY", "12345678901"),
        _amount("KWD", "1234567.125"),
        State("no amount", {"amount": None}, {"amount": None}),
    ),
    lacks=dict.fromkeys(
        ("probability", "lines", "account_team", "unmapped", "refs"), "Toy CRM's deals have none"
    ),
    many={"deals": {"title": "Deal {n}", "state": "open", "account": "$customer"}},
    odd={"title": None},
    owners=(BARE,),
    written={"deals": (LINK,)},
    read_back={**EMPTY, "updated_at": "*", "project_ref": "prj_1"},
    undone={"deals": (dict.fromkeys(LINK, ""),)},
    edit={"region": "DACH"},
)
CUSTOMERS = NounForms(
    whole=Form(
        (
            Step(
                "customer",
                "accounts",
                {
                    "legal_name": "Größe & Söhne GmbH", "street": "Hauptstr. 1", "city": "München",
                    "postal_code": "80331", "country": "DE", "currency": "EUR", "tax_number": "DE123456788",
                    "credit_limit": Decimal("9876543210.05"), "industry": "Technology",
                },
            ),
        ),
        {
            "id": "$customer", "version": "*", "updated_at": LATE, "legal_name": "Größe & Söhne GmbH",
            "status": "prospect", "currency": "EUR", "industry": "Technology",
            "billing_address": {"line1": "Hauptstr. 1", "city": "München", "postal_code": "80331", "country": "DE"},
            "tax_registrations": [{"country": "DE", "number": "DE123456788"}],
            "credit_limit": {"amount": "9876543210.05", "currency": "EUR"},
        },
        at=EVENING,
    ),
    empty=Form(
        (Step("customer", "accounts", {"legal_name": "Nothing known"}),),
        {
            "id": "$customer", "version": "*", "updated_at": EARLY, "legal_name": "Nothing known",
            "status": "prospect",
        },
        at=MIDNIGHT,
    ),
    lacks=dict.fromkeys(
        (
            "trading_name", "parent_id", "selling_entity", "payment_terms", "segment", "account_owner", "email",
            "other_entities", "website", "refs", "status=proposed", "status=approved", "status=blocked",
        ),
        "Toy CRM's accounts have none",
    ),
    many={"accounts": {"legal_name": "Firm {n}"}},
    odd={"legal_name": None},
    edit={"city": "Leeds"},
)  # fmt: skip
CONTACTS = NounForms(
    whole=Form(
        (
            FIRM,
            Step(
                "contact", "contacts", {"account": "$customer", "name": "Zoë", "email": "zoe@golden.example"}
            ),
        ),
        {"id": "$contact", "version": "*", "updated_at": LATE, "name": "Zoë", "email": "zoe@golden.example"},
        at=EVENING,
    ),
    empty=Form(
        (FIRM, Step("contact", "contacts", {"account": "$customer", "name": "Nobody"})),
        {"id": "$contact", "version": "*", "updated_at": EARLY, "name": "Nobody"},
        at=MIDNIGHT,
    ),
    lacks=dict.fromkeys(("phone", "roles", "refs"), "Toy CRM's contacts have none"),
    many={"contacts": {"account": "$customer", "name": "Person {n}"}},
    odd={"name": None},
)
_DEALS = Spoil("GET", "/deals", {"items": [{"id": 5}], "more": False})
_ACCOUNTS = Spoil("GET", "/accounts", {"items": [{"id": 5}], "more": False})
_CONTACTS = Spoil("GET", "/contacts", {"items": [{"id": 5}], "more": False})
GOLDEN = Golden(
    nouns={"opportunity": OPPORTUNITIES, "customer": CUSTOMERS, "contact": CONTACTS},
    profile={"changes": {"poll_seconds": 0.05}},
    calls={
        "get_opportunity": (_DEALS,),
        "list_opportunities": (_DEALS,),
        "get_customer": (_ACCOUNTS,),
        "list_customers": (_ACCOUNTS,),
        "list_contacts": (_CONTACTS, _ACCOUNTS),
    },
    budget={
        "get_opportunity": 1,
        "list_opportunities": 1,
        "get_customer": 1,
        "list_customers": 1,
        "list_contacts": 2,
        "put_project_link": 1,
    },
    stamps=frozenset({"version", "changed_at", "state_since"}),
    findings=(Provoked("login", "token", spoils=("POST", "/token"), status=400),),
    unseen={
        "own write": "a document does not say who changed it",
        **dict.fromkeys(("deleted", "merged", "restored"), "a document that is gone is not listed"),
        **{
            f"check:{kind}": "a toy's check looks at the login only"
            for kind in ("permission", "field", "limit", "environment", "reference")
        },
    },
    equivalent=dict.fromkeys(
        ("customer: no billing address, line2", "customer: no billing address, state"),
        "Toy CRM's addresses have no such part",
    ),
)
