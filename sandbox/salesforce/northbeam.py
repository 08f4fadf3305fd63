"""The Salesforce stand-in's first contents: Northbeam Advisory's people, prices, customers and deals."""

from decimal import Decimal
from typing import Any

from sandbox.core import Account
from sandbox.salesforce.keys import make_key
from sandbox.salesforce.records.org import Org, Record, org_of
from sandbox.salesforce.records.work import Actor, Work
from sandbox.salesforce.schema.standard import STAGES
from sandbox.salesforce.sessions import approve

PEOPLE = [
    ("integration", "Integration", "Northbeam", "Integration User"),
    ("sofia.marsh", "Sofia", "Marsh", "Account Executive"),
    ("daniel.okafor", "Daniel", "Okafor", "Account Executive"),
    ("lena.vogt", "Lena", "Vogt", "Account Executive"),
]
CURRENCIES = [
    ("GBP", "1", 2, True),
    ("USD", "1.27", 2, False),
    ("EUR", "1.17", 2, False),
    ("JPY", "190", 0, False),
    ("KWD", "0.39", 3, False),
]
PRODUCTS = [
    ("Data & Analytics services", "SVC-DATA", {"USD": "1500.00", "GBP": "1200.00", "EUR": "1400.00"}),
    ("Cloud Migration services", "SVC-CLOUD", {"USD": "1500.00", "GBP": "1200.00", "EUR": "1400.00"}),
    ("Managed Services", "SVC-MANAGED", {"USD": "12000.00", "GBP": "9500.00", "EUR": "10000.00"}),
]
FORECAST_NAMES = {"Pipeline": "Pipeline", "Closed": "Closed", "Omitted": "Omitted"}


def account(name: str, currency: str, tax: str | None, credit: str, region: str, address: str) -> Record:
    """An account; the address is street, city, postal code, country and its code, separated by bars."""
    street, city, code, country, country_code = address.split("|")
    return {
        "Name": name, "CurrencyIsoCode": currency, "Tax_Number__c": tax, "Credit_Limit__c": Decimal(credit),
        "Region__c": region, "BillingStreet": street, "BillingCity": city, "BillingPostalCode": code,
        "BillingCountry": country, "BillingCountryCode": country_code, "Type": "Customer - Direct",
    }  # fmt: skip


ACCOUNTS = [
    account("Globex Corporation", "USD", "12-3456789", "250000", "North America",
            "742 Evergreen Terrace|Springfield|97477|United States|US"),
    account("Initech Ltd", "GBP", "GB123456789", "50000", "UK & Ireland",
            "4120 Freidrich Lane|Reading|RG1 1AA|United Kingdom|GB"),
    account("Umbrella GmbH", "EUR", "DE123456788", "40000", "DACH",
            "Lindenstrasse 12|Berlin|10969|Germany|DE"),
    account("Hooli Inc", "USD", "98-7654321", "100000", "North America",
            "1 Hooli Way|Palo Alto|94301|United States|US"),
    account("Wayne Enterprises", "USD", None, "75000", "North America",
            "1007 Mountain Drive|Gotham|07001|United States|US"),
]  # fmt: skip
CONTACTS = [
    ("Globex Corporation", "Hank", "Scorpio"),
    ("Initech Ltd", "Bill", "Lumbergh"),
    ("Umbrella GmbH", "Alexandra", "Wesker"),
    ("Hooli Inc", "Gavin", "Belson"),
]


def deal(
    name: str, customer: str, service: str, region: str, pricing: str, template: str, card: str, terms: str,
    start: str, end: str,
) -> Record:  # fmt: skip
    return {
        "Name": name, "Account": {"Name": customer}, "StageName": "Negotiation/Review",
        "CloseDate": "2026-12-18", "Service_Line__c": service, "Delivery_Region__c": region,
        "Pricing_Model__c": pricing, "Delivery_Template__c": template, "Rate_Card__c": card,
        "Payment_Terms__c": terms, "Expected_Start__c": start, "Expected_End__c": end,
    }  # fmt: skip


# A deal and its lines: product code, quantity, unit price.
DEALS: list[tuple[Record, list[tuple[str, str, str]]]] = [
    (
        deal("Globex data platform", "Globex Corporation", "Data & Analytics", "North America",
             "Fixed price", "DT-DATA-PLATFORM", "RC-US-2026", "Net 30", "2027-01-11", "2027-06-30"),
        [("SVC-DATA", "100", "1500.00"), ("SVC-DATA", "20", "1500.00")],
    ),
    (
        deal("Initech cloud migration", "Initech Ltd", "Cloud Migration", "UK & Ireland",
             "Time & materials", "DT-CLOUD-MIGRATION", "RC-UK-2026", "Net 45", "2027-02-01", "2027-07-30"),
        [("SVC-CLOUD", "80", "1200.00")],
    ),
    (
        deal("Umbrella managed services", "Umbrella GmbH", "Managed Services", "DACH", "Retainer",
             "DT-MANAGED-SERVICES", "RC-DE-2026", "Net 60", "2027-01-01", "2027-12-31"),
        [("SVC-MANAGED", "6", "10000.00")],
    ),
    (
        deal("Hooli managed services", "Hooli Inc", "Managed Services", "North America", "Retainer",
             "DT-MANAGED-SERVICES", "RC-US-2026", "Net 30", "2027-01-04", "2027-04-30"),
        [("SVC-MANAGED", "4", "12000.00")],
    ),
]  # fmt: skip
# Not ready to be delivered: no service line, no template, no dates, and a customer without a tax number.
UNREADY: Record = {
    "Name": "Wayne discovery", "Account": {"Name": "Wayne Enterprises"}, "StageName": "Proposal/Price Quote",
    "CloseDate": "2026-12-30", "Delivery_Region__c": "North America", "Amount": Decimal("45000.00"),
}  # fmt: skip


def seed(account_: Account) -> None:
    """Fill a fresh account: what no org lacks, and the firm's business unless it is to be empty."""
    make_key(account_)
    org = org_of(account_)
    org.cursors.clear()
    _base(org)
    approve(org)
    if not account_.settings.get("empty"):
        _business(org)


def _base(org: Org) -> None:
    name = "" if org.account.name == "story" else f".{org.account.name.lower()}"
    organization = {
        "Id": org.org_id, "Name": "Northbeam Advisory", "InstanceName": "NB1", "IsSandbox": True,
        "OrganizationType": "Enterprise Edition", "LanguageLocaleKey": "en_US", "Country": "GB",
        "TimeZoneSidKey": "Europe/London", "DefaultLocaleSidKey": "en_GB",
    }  # fmt: skip
    put(org, "Organization", organization)
    rights = {"PermissionsApiEnabled": True, "PermissionsViewSetup": True}
    profile = put(org, "Profile", {"Name": "Northbeam Standard", "UserType": "Standard", **rights})
    for login, first, last, title in PEOPLE:
        email = f"{login}@northbeam{name}.example"
        person = {
            "Username": email, "Email": email, "FirstName": first, "LastName": last, "Title": title,
            "Name": f"{first} {last}", "Alias": login[:8], "CommunityNickname": login, "IsActive": True,
            "TimeZoneSidKey": "Europe/London", "LocaleSidKey": "en_GB", "EmailEncodingKey": "UTF-8",
            "LanguageLocaleKey": "en_US", "ProfileId": profile, "UserType": "Standard",
            "DefaultCurrencyIsoCode": "GBP", "CurrencyIsoCode": "GBP",
        }  # fmt: skip
        put(org, "User", person)
    for code, rate, places, corporate in CURRENCIES:
        put(org, "CurrencyType", {
            "IsoCode": code, "ConversionRate": Decimal(rate), "DecimalPlaces": places, "IsActive": True,
            "IsCorporate": corporate,
        })  # fmt: skip
    for order, (label, chance, forecast, closed, won) in enumerate(STAGES, 1):
        put(org, "OpportunityStage", {
            "MasterLabel": label, "ApiName": label, "IsActive": True, "SortOrder": order, "IsClosed": closed,
            "IsWon": won, "ForecastCategory": forecast, "ForecastCategoryName": FORECAST_NAMES[forecast],
            "DefaultProbability": Decimal(chance),
        })  # fmt: skip
    put(org, "Pricebook2", {"Name": "Standard Price Book", "IsActive": True, "IsStandard": True})


def put(org: Org, name: str, values: Record) -> str:
    """A record as it is, unchecked and not published."""
    made = org.objects[name]
    now = org.stamp()
    integration = next(iter(org.table("User")), None)
    record: dict[str, Any] = {f.name: f.default for f in made.fields.values() if f.type != "address"}
    record |= {
        "CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now, "IsDeleted": False,
        "CreatedById": integration, "LastModifiedById": integration,
    }  # fmt: skip
    record |= values
    record["Id"] = values.get("Id") or org.new_id(made)
    org.table(name)[record["Id"]] = record
    return record["Id"]


def _business(org: Org) -> None:
    sellers = [u["Id"] for u in org.live("User")][1:]
    work = Work(org, Actor(sellers[0], ""))
    entries = _prices(org, work)
    for values in ACCOUNTS:
        work.insert(org.objects["Account"], values | {"OwnerId": sellers[0]})
    for customer, first, last in CONTACTS:
        email = f"{first}.{last}@{customer.split()[0]}.example".lower()
        owner = {"FirstName": first, "LastName": last, "Email": email, "AccountId": _id_of(org, customer)}
        work.insert(org.objects["Contact"], owner)
    for number, (values, lines) in enumerate(DEALS):
        customer = _customer(org, values)
        plain = {k: v for k, v in values.items() if k != "Account"}
        deal_id = work.insert(org.objects["Opportunity"], plain | customer | {"OwnerId": sellers[number % 3]})
        for code, quantity, price in lines:
            entry = entries[code, customer["CurrencyIsoCode"]]
            line = {
                "OpportunityId": deal_id,
                "PricebookEntryId": entry,
                "Quantity": quantity,
                "UnitPrice": price,
            }
            work.insert(org.objects["OpportunityLineItem"], line)
    plain = {k: v for k, v in UNREADY.items() if k != "Account"}
    work.insert(org.objects["Opportunity"], plain | _customer(org, UNREADY) | {"OwnerId": sellers[2]})
    # The past is not published.
    work.finish()


def _prices(org: Org, work: Work) -> dict[tuple[str, str], str]:
    book = next(b["Id"] for b in org.live("Pricebook2") if b["IsStandard"])
    entries = {}
    for name, code, prices in PRODUCTS:
        product = {"Name": name, "ProductCode": code, "IsActive": True, "Family": "Services"}
        product_id = work.insert(org.objects["Product2"], product)
        for currency, price in prices.items():
            entry = {
                "Pricebook2Id": book, "Product2Id": product_id, "UnitPrice": price, "IsActive": True,
                "CurrencyIsoCode": currency,
            }  # fmt: skip
            entries[code, currency] = work.insert(org.objects["PricebookEntry"], entry)
    return entries


def _id_of(org: Org, customer: str) -> str:
    return org.matching("Account", "Name", customer)[0]["Id"]


def _customer(org: Org, values: Record) -> Record:
    """The customer's id and currency for a deal."""
    found = org.matching("Account", "Name", values["Account"]["Name"])[0]
    return {"AccountId": found["Id"], "CurrencyIsoCode": found["CurrencyIsoCode"]}
