"""The Salesforce stand-in's records as the conformance suites know them: whole, empty, in every state."""

from decimal import Decimal
from typing import Any

from sandbox.core.golden import Children, Form, Golden, Notice, NounForms, Provoked, Spoil, State, Step
from sandbox.salesforce.schema.standard import STAGES

# The last second of a day and the first one of the next, in the org's zone in summer.
EVENING, MIDNIGHT = "2028-06-30T22:59:59+00:00", "2028-06-30T23:00:00+00:00"

ACCOUNT: dict[str, Any] = {
    "Name": "Größe & Söhne GmbH", "CurrencyIsoCode": "EUR", "ParentId": "$parent", "Industry": "Technology",
    "Website": "https://groesse.example", "BillingStreet": "Hauptstr. 1\r\nHinterhof\r\n2. Stock",
    "BillingCity": "München", "BillingState": "Bayern", "BillingPostalCode": "80331",
    "BillingCountry": "Germany", "BillingCountryCode": "DE", "Tax_Number__c": "DE 123.456.788",
    "Credit_Limit__c": Decimal("9876543210.05"), "Trading_Name__c": "Größe", "Segment__c": "Enterprise",
    "Selling_Entity__c": "Northbeam GmbH", "Payment_Terms__c": "60 days", "Status__c": "Proposed",
    "Billing_Email__c": "ap@groesse.example",
}  # fmt: skip
CUSTOMER: dict[str, Any] = {
    "id": "$customer", "version": "*", "updated_at": "2028-06-30T22:59:59Z",
    "legal_name": "Größe & Söhne GmbH", "status": "proposed", "trading_name": "Größe", "parent_id": "$parent",
    "selling_entity": "NB-DE",
    "billing_address": {
        "line1": "Hauptstr. 1", "line2": "Hinterhof, 2. Stock", "city": "München", "state": "Bayern",
        "postal_code": "80331", "country": "DE",
    },
    "tax_registrations": [{"country": "DE", "number": "DE 123.456.788"}], "currency": "EUR",
    "payment_terms": "Net 60", "credit_limit": {"amount": "9876543210.05", "currency": "EUR"},
    "industry": "Technology", "segment": "Enterprise", "account_owner": "Sofia Marsh",
    "email": "ap@groesse.example", "website": "https://groesse.example",
    "refs": [{"instance": "*", "object": "customer", "id": "$customer", "url": "*"}],
}  # fmt: skip
OWNER = [{"name": "Sofia Marsh", "email": "*", "role": "owner"}]
OPPORTUNITY: dict[str, Any] = {
    "id": "$opportunity", "version": "*", "updated_at": "2028-06-30T22:59:59Z", "name": "Platform <phase 2>",
    "stage": "open", "customer_id": "$customer", "stage_label": "Negotiation/Review",
    "amount": {"amount": "1851.86", "currency": "GBP"}, "probability": 90, "close_date": "2028-02-29",
    "service_line": "DATA", "region": "UKI", "pricing_model": "fixed_price",
    "delivery_template": "DT-DATA-PLATFORM", "rate_card": "RC-UK-2026", "payment_terms": "Net 45",
    "expected_start": "2028-02-29", "expected_end": "2028-12-31", "project_ref": "prj_9",
    "lines": [
        {"id": "*", "description": "Build", "quantity": "2.5", "unit_price": {"amount": "700.10", "currency": "GBP"},
         "total": {"amount": "1750.25", "currency": "GBP"}, "product": "SVC-GOLD", "service_date": "2028-03-01"},
        {"id": "*", "description": "*", "quantity": "1.0",
         "unit_price": {"amount": "101.61", "currency": "GBP"},
         "total": {"amount": "101.61", "currency": "GBP"}, "product": "SVC-GOLD"},
    ],
    "account_team": OWNER,
    "refs": [{"instance": "*", "object": "opportunity", "id": "$opportunity", "url": "*"}],
}  # fmt: skip
DEAL: dict[str, Any] = {
    "Name": "Platform <phase 2>", "AccountId": "$customer", "StageName": "Negotiation/Review",
    "CloseDate": "2028-02-29", "CurrencyIsoCode": "GBP", "Service_Line__c": "Data & Analytics",
    "Delivery_Region__c": "UK & Ireland", "Pricing_Model__c": "Fixed price",
    "Delivery_Template__c": "DT-DATA-PLATFORM", "Rate_Card__c": "RC-UK-2026", "Payment_Terms__c": "Net 45",
    "Expected_Start__c": "2028-02-29", "Expected_End__c": "2028-12-31", "Project_Id__c": "prj_9",
    "OpportunityLineItems": [
        {"PricebookEntryId": "$entry", "Quantity": Decimal("2.5"), "UnitPrice": Decimal("700.10"),
         "Description": "Build", "ServiceDate": "2028-03-01"},
        {"PricebookEntryId": "$entry", "Quantity": 1, "UnitPrice": Decimal("101.61")},
    ],
}  # fmt: skip
PRICES = (
    Step("product", "Product2", {"Name": "Gold", "ProductCode": "SVC-GOLD", "IsActive": True}),
    Step(
        "entry",
        "PricebookEntry",
        {
            "Pricebook2": "Standard Price Book", "Product2Id": "$product", "UnitPrice": Decimal(1000),
            "IsActive": True, "CurrencyIsoCode": "GBP",
        },
    ),
)  # fmt: skip
PARENT = Step("parent", "Account", {"Name": "Größe Holding SE", "CurrencyIsoCode": "EUR"})
FIRM = Step("customer", "Account", {"Name": "Golden Ltd", "CurrencyIsoCode": "GBP"})


def _stage(label: str, chance: int, closed: bool, won: bool) -> State:
    stage = "won" if won else "lost" if closed else "open"
    fields = {"StageName": label, "Probability": chance}
    return State(label, fields, {"stage": stage, "stage_label": label, "probability": chance or 0})


def _amount(name: str, amount: str, currency: str, shown: str) -> State:
    """Without lines, whose sum would be the amount; a raw record's currency needs no price book."""
    reads = {"amount": {"amount": shown, "currency": currency}, "lines": None}
    fields = {"Amount": Decimal(amount), "CurrencyIsoCode": currency, "OpportunityLineItems": None}
    return State(name, fields, reads)


def _field(noun: str, canonical: str, field: str, *raw: tuple[str, str]) -> tuple[State, ...]:
    """A picklist's other values, and the code of each."""
    return tuple(State(f"{noun} {value}", {field: value}, {canonical: code}) for value, code in raw)


EMPTY: dict[str, Any] = {
    "id": "$opportunity", "version": "*", "updated_at": "2028-06-30T23:00:00Z", "name": "Nothing known",
    "stage": "open", "stage_label": "Prospecting", "probability": 10, "close_date": "2026-12-30",
    "account_team": OWNER,
    "refs": [{"instance": "*", "object": "opportunity", "id": "$opportunity", "url": "*"}],
}  # fmt: skip
BARE = Step(
    "opportunity",
    "Opportunity",
    {
        "Name": "Nothing known",
        "StageName": "Prospecting",
        "CloseDate": "2026-12-30",
        "CurrencyIsoCode": "GBP",
    },
)
OPPORTUNITIES = NounForms(
    whole=Form((*PRICES, FIRM, Step("opportunity", "Opportunity", DEAL)), OPPORTUNITY, at=EVENING),
    empty=Form((BARE,), EMPTY, at=MIDNIGHT),
    states=(
        *(_stage(label, chance, closed, won) for label, chance, _, closed, won in STAGES),
        _amount("many digits", "1234567890123.45", "GBP", "1234567890123.45"),
        _amount("a penny", "0.01", "GBP", "0.01"),
        _amount("no money", "0", "GBP", "0.00"),
        _amount("yen", "12345678901", "JPY", "12345678901"),
        _amount("dinars", "1234567.12", "KWD", "1234567.120"),
        *_field("service line", "service_line", "Service_Line__c", ("Cloud Migration", "CLOUD")),
        *_field("region", "region", "Delivery_Region__c", ("North America", "NA")),
        *_field("pricing", "pricing_model", "Pricing_Model__c",
                ("Time & materials", "time_and_materials"), ("Retainer", "retainer")),
        *_field("terms", "payment_terms", "Payment_Terms__c", ("Net 30", "Net 30")),
        State(
            "unmapped",
            {"Delivery_Region__c": "DACH", "Payment_Terms__c": "Net 60", "Service_Line__c": "Managed Services"},
            {"region": None, "payment_terms": None, "service_line": None,
             "unmapped": {"region": "DACH", "payment_terms": "Net 60", "service_line": "Managed Services"}},
        ),
    ),
    many={
        "Opportunity": {
            "Name": "Deal {n}", "StageName": "Prospecting", "CloseDate": "2026-12-30", "IsWon": False,
            "IsClosed": False, "CurrencyIsoCode": "GBP", "AccountId": "$customer",
        }
    },
    odd={"Name": None},
    children=(
        Children(
            "lines",
            "OpportunityLineItem",
            {
                "OpportunityId": "$opportunity", "Quantity": 1, "UnitPrice": Decimal("1.10"),
                "TotalPrice": Decimal("1.10"), "Description": "Line {n}", "SortOrder": 9,
            },
            count=12,
            spoils=Spoil("GET", "/query", {"records": [{"Id": 5}], "done": True}),
            limits={"page_size": 5, "child_page_size": 5},
        ),
    ),
    owners=(BARE,),
    written={
        "Opportunity": (
            {"Project_Id__c": "prj_1", "Project_Url__c": "https://psa.example/1", "Activation_Status__c": "active"},
        )
    },
    read_back={**EMPTY, "project_ref": "prj_1", "updated_at": "*"},
    undone={"Opportunity": ({"Project_Id__c": None, "Project_Url__c": None, "Activation_Status__c": None},)},
    edit={"NextStep": "Call them"},
)  # fmt: skip

CUSTOMERS = NounForms(
    whole=Form((PARENT, Step("customer", "Account", ACCOUNT)), CUSTOMER, at=EVENING),
    empty=Form(
        (Step("customer", "Account", {"Name": "Nothing known", "CurrencyIsoCode": "GBP"}),),
        {
            "id": "$customer", "version": "*", "updated_at": "2028-06-30T23:00:00Z", "legal_name": "Nothing known",
            "status": "prospect", "currency": "GBP", "account_owner": "Sofia Marsh",
            "refs": [{"instance": "*", "object": "customer", "id": "$customer", "url": "*"}],
        },
        at=MIDNIGHT,
    ),
    states=(
        *_field("status", "status", "Status__c", ("Active", "approved"), ("Stopped", "blocked"),
                ("Unknown here", "prospect"), ("Lead", "prospect")),
        *_field("terms", "payment_terms", "Payment_Terms__c", ("By the 15th", "By the 15th")),
        *_field("entity", "selling_entity", "Selling_Entity__c", ("Another one", "Another one")),
        State("yen", {"CurrencyIsoCode": "JPY", "Credit_Limit__c": Decimal(12345678901)},
              {"currency": "JPY", "credit_limit": {"amount": "12345678901", "currency": "JPY"}}),
        State("dinars", {"CurrencyIsoCode": "KWD", "Credit_Limit__c": Decimal("0.12")},
              {"currency": "KWD", "credit_limit": {"amount": "0.120", "currency": "KWD"}}),
        State("no credit", {"Credit_Limit__c": 0}, {"credit_limit": {"amount": "0.00", "currency": "EUR"}}),
    ),
    lacks={"other_entities": "an account names one selling entity"},
    many={"Account": {"Name": "Firm {n}", "CurrencyIsoCode": "GBP"}},
    odd={"Name": None},
    edit={"Phone": "+49 89 1"},
)  # fmt: skip

CONTACTS = NounForms(
    whole=Form(
        (
            FIRM,
            Step(
                "contact",
                "Contact",
                {
                    "AccountId": "$customer", "FirstName": "Zoë", "LastName": "O’Neill", "Email": "zoe@golden.example",
                    "Phone": "+44 20 1", "Title": "Chief Architect",
                },
            ),
        ),
        {
            "id": "$contact", "version": "*", "updated_at": "2028-06-30T22:59:59Z", "name": "Zoë O’Neill",
            "email": "zoe@golden.example", "phone": "+44 20 1", "roles": ["Chief Architect"],
            "refs": [{"instance": "*", "object": "contact", "id": "$contact"}],
        },
        at=EVENING,
    ),
    empty=Form(
        (FIRM, Step("contact", "Contact", {"AccountId": "$customer", "LastName": "Nobody"})),
        {
            "id": "$contact", "version": "*", "updated_at": "2028-06-30T23:00:00Z", "name": "Nobody",
            "refs": [{"instance": "*", "object": "contact", "id": "$contact"}],
        },
        at=MIDNIGHT,
    ),
    many={"Contact": {"AccountId": "$customer", "LastName": "Person {n}", "Name": "Person {n}"}},
    odd={"Name": None},
)  # fmt: skip

_QUERY = Spoil("GET", "/query", {"records": [{"Id": 5, "Name": None}], "done": True})


def _notice(noun: str, **more: str) -> dict[str, str]:
    return {"instance": "*", "object": noun, "id": f"${noun}", "changed_at": "*", **more}


GOLDEN = Golden(
    nouns={"opportunity": OPPORTUNITIES, "customer": CUSTOMERS, "contact": CONTACTS},
    schema=tuple(
        {"object": "Account", "add_field": {"name": f"{name}__c", "type": kind}}
        for name, kind in (
            ("Trading_Name", "text"),
            ("Segment", "text"),
            ("Selling_Entity", "text"),
            ("Payment_Terms", "text"),
            ("Status", "text"),
            ("Billing_Email", "email"),
        )
    ),
    profile={
        "country_codes": True,
        "changes": {"poll_seconds": 0.05},
        "fields": {
            "customer": {
                "trading_name": "Trading_Name__c", "segment": "Segment__c",
                "selling_entity": "Selling_Entity__c", "payment_terms": "Payment_Terms__c",
                "status": "Status__c", "email": "Billing_Email__c",
            }
        },
        # What is not in these tables has no code of ours.
        "picklists": {
            "region": {"DACH": None},
            "service_line": {"Managed Services": None},
            "payment_terms": {"Net 60": None, "60 days": "Net 60"},
            "selling_entity": {"Northbeam GmbH": "NB-DE"},
            "customer_status": {
                "Lead": "prospect", "Proposed": "proposed", "Active": "approved", "Stopped": "blocked",
            },
        },
    },
    mapped={
        "picklists": {
            "region": {"DACH": "DACH"},
            "service_line": {"Managed Services": "MANAGED"},
            "payment_terms": {"Net 60": "Net 60"},
        }
    },
    calls={
        "get_opportunity": (_QUERY,),
        "list_opportunities": (_QUERY,),
        "get_customer": (_QUERY,),
        "list_customers": (_QUERY,),
        "list_contacts": (_QUERY,),
    },
    budget={
        "get_opportunity": 1, "list_opportunities": 1, "get_customer": 1, "list_customers": 1,
        "list_contacts": 1, "put_project_link": 2,
    },
    notices={
        "deleted": Notice("opportunity", _notice("opportunity", kind="deleted")),
        "merged": Notice("customer", _notice("customer", kind="merged", merged_into="$other")),
        "restored": Notice("customer", _notice("customer", kind="restored")),
    },
    stamps=frozenset({"SystemModstamp", "LastModifiedDate", "LastModifiedById"}),
    findings=(
        Provoked("login", "External Client App", spoils=("POST", "/oauth2/token"), status=400),
        Provoked(
            "permission",
            "Opportunity: Edit",
            schema=({"object": "Opportunity", "permissions": {"updateable": False}},),
        ),
        Provoked("permission", "Contact: Read", spoils=("GET", "/sobjects/Contact/describe"), status=404),
        Provoked("field", "Account.Tax_Number__c", schema=({"object": "Account", "remove_field": "Tax_Number__c"},)),
        Provoked(
            "field",
            "Opportunity.Expected_Start__c",
            schema=({"object": "Opportunity", "retype": {"name": "Expected_Start__c", "type": "text"}},),
        ),
        Provoked(
            "reference", "Opportunity.Service_Line__c", profile={"picklists": {"service_line": {"Cloud Migration": None}}}
        ),
        Provoked("environment", "currency", profile={"currency": "USD"}),
        Provoked("environment", "time_zone", profile={"time_zone": "Europe/Berlin"}),
        Provoked("field", "Opportunity.CurrencyIsoCode", profile={"multiple_currencies": False}),
        Provoked("limit", "DailyApiRequests", limits={"daily_api_requests": 100, "used_api_requests": 92}),
        Provoked(
            "environment",
            "Organization.IsSandbox",
            seeds={
                "Organization": (
                    {"Id": "$org_id", "Name": "Northbeam", "IsSandbox": False, "OrganizationType": "Enterprise Edition"},
                )
            },
        ),
    ),
)  # fmt: skip
