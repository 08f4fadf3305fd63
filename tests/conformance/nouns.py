"""tests/conformance: the nouns of each capability: how one is read, listed and written."""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from contracts.canonical.contact import Contact
from contracts.canonical.contract import BillingLine, Contract, ContractDraft, ContractLine
from contracts.canonical.customer import Customer, CustomerDraft
from contracts.canonical.opportunity import Opportunity, ProjectLink
from contracts.canonical.project import Client, ClientDraft, Project, ProjectDraft, StaffingDemand, TaskPlan
from contracts.canonical.values import Address, Money, TaxRegistration

Ids = dict[str, str]
List = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class NounUnderTest:
    """A noun: its Struct, how one record is read by the ids of its steps, and its list (None: it has none).

    `record` names the step that makes it; one without an id of its own is read by the key ``golden``.
    """

    struct: type
    read: Callable[[Any, Ids], Awaitable[Any]]
    list: Callable[[Any, Ids], List] | None = None
    put: Callable[[Any, Ids], Awaitable[Any]] | None = None
    undo: Callable[[Any, Ids], Awaitable[Any]] | None = None


async def _contact(api: Any, ids: Ids) -> Any:
    page = await api.list_contacts(ids["customer"], limit=200)
    return next(contact for contact in page.items if contact.id == ids["contact"])


LINK = ProjectLink(project_id="prj_1", status="active", project_url="https://psa.example/1")
NO_LINK = ProjectLink(project_id="", status="")
CUSTOMER = CustomerDraft(
    legal_name="Globex Österreich GmbH",
    trading_name="Globex",
    selling_entity="NB-DE",
    currency="EUR",
    payment_terms="Net 60",
    billing_address=Address("1 Main St", "Floor 2", "Linz", "OÖ", "4020", "AT"),
    tax_registrations=(TaxRegistration("AT", "ATU12345678"),),
    credit_limit=Money(Decimal("12345678901.23"), "EUR"),
    email="ap@globex.example",
)


def contract(customer_id: str) -> ContractDraft:
    """Every field set; the sum of its lines is its value, with more digits than a float has."""
    return ContractDraft(
        name="Globex data platform",
        customer_id=customer_id,
        opportunity_ref="006A",
        revision=3,
        selling_entity="NB-DE",
        value=Money(Decimal("12345678901.23"), "EUR"),
        pricing_model="fixed_price",
        payment_terms="Net 60",
        tax_profile="DE-STD",
        start=dt.date(2028, 2, 29),
        end=dt.date(2028, 12, 31),
        lines=(
            ContractLine("Build", Decimal("2.5"), Money(Decimal("12345678000.20"), "EUR"), "DATA", "DE-STD"),
            ContractLine("Run", Decimal(1), Money(Decimal("901.03"), "EUR"), "MANAGED", "EXPORT"),
        ),
        billing_schedule=(
            BillingLine("Architecture agreed", dt.date(2028, 2, 29), Money(Decimal("0.01"), "EUR")),
            BillingLine("Platform live", dt.date(2028, 12, 31), Money(Decimal("12345678901.22"), "EUR")),
        ),
        rate_card_id="RC-DE-2026",
    )


CLIENT = ClientDraft(
    name="Globex GmbH", email="ap@globex.example", website="https://globex.example", notes="Key account"
)


def project(client_id: str) -> ProjectDraft:
    """Every field set, a task below a task, and hours to the minute."""
    start, end = dt.date(2028, 2, 29), dt.date(2028, 12, 31)
    return ProjectDraft(
        name="Globex data platform",
        client_id=client_id,
        contract_number="SO-1001",
        template="DT-DATA-PLATFORM",
        start=start,
        end=end,
        currency="GBP",
        pricing_model="fixed_price",
        service_line="DATA",
        region="UKI",
        selling_entity="NB-UK",
        budget=Money(Decimal(123456789012), "GBP"),
        budget_hours=Decimal("132.5"),
        tasks=(
            TaskPlan("DISC", "Discovery", start=start, due=dt.date(2028, 3, 31), hours=Decimal("96.25")),
            TaskPlan("WORK", "Workshops", start=start, due=start, hours=Decimal(24), parent="DISC"),
            TaskPlan(
                "M1", "Platform live", kind="milestone", due=end, amount=Money(Decimal("1000.55"), "GBP")
            ),
        ),
        staffing=(
            StaffingDemand("Data Engineer", start, end, Decimal(100), region="UKI", skills=("Python", "SQL")),
            StaffingDemand("Engagement Manager", start, end, Decimal("32.5")),
        ),
    )


NOUNS: dict[str, dict[str, NounUnderTest]] = {
    "crm": {
        "opportunity": NounUnderTest(
            Opportunity,
            read=lambda api, ids: api.get_opportunity(ids["opportunity"]),
            list=lambda api, _: api.list_opportunities,
            put=lambda api, ids: api.put_project_link(ids["opportunity"], LINK),
            undo=lambda api, ids: api.put_project_link(ids["opportunity"], NO_LINK),
        ),
        "customer": NounUnderTest(
            Customer,
            read=lambda api, ids: api.get_customer(ids["customer"]),
            list=lambda api, _: api.list_customers,
        ),
        "contact": NounUnderTest(
            Contact, read=_contact, list=lambda api, ids: partial(api.list_contacts, ids["customer"])
        ),
    },
    "erp": {
        "customer": NounUnderTest(
            Customer,
            read=lambda api, ids: api.get_customer(ids["customer"]),
            list=lambda api, _: api.list_customers,
            put=lambda api, _: api.put_customer("enf-golden", CUSTOMER),
        ),
        "contract": NounUnderTest(
            Contract,
            read=lambda api, ids: api.get_contract(ids["contract"]),
            list=lambda api, _: api.list_contracts,
            put=lambda api, ids: api.put_contract("enf-golden", contract(ids["customer"])),
            undo=lambda api, _: api.close_contract("enf-golden"),
        ),
    },
    "psa": {
        "client": NounUnderTest(
            Client,
            read=lambda api, ids: api.get_client_by_key(ids.get("key", "golden")),
            put=lambda api, _: api.put_client("enf-golden", CLIENT),
        ),
        "project": NounUnderTest(
            Project,
            read=lambda api, ids: api.get_project(ids["project"]),
            list=lambda api, _: api.list_projects,
            put=lambda api, ids: api.put_project("enf-golden", project(ids["client"])),
            undo=lambda api, _: api.cancel_project("enf-golden"),
        ),
    },
}


Act = Callable[[Any, Ids], Awaitable[Any]]
READS: dict[str, dict[str, Act]] = {
    "crm": {
        "get_opportunity": lambda api, ids: api.get_opportunity(ids["opportunity"]),
        "list_opportunities": lambda api, _: api.list_opportunities(),
        "get_customer": lambda api, ids: api.get_customer(ids["customer"]),
        "list_customers": lambda api, _: api.list_customers(),
        "list_contacts": lambda api, ids: api.list_contacts(ids["customer"]),
    },
    "erp": {
        "get_customer": lambda api, ids: api.get_customer(ids["customer"]),
        "get_customer_by_key": lambda api, ids: api.get_customer_by_key(ids["customer_key"]),
        "list_customers": lambda api, _: api.list_customers(),
        "find_customers": lambda api, ids: api.find_customers(name=ids["customer_name"]),
        "get_contract": lambda api, ids: api.get_contract(ids["contract"]),
        "get_contract_by_key": lambda api, ids: api.get_contract_by_key(ids["contract_key"]),
        "list_contracts": lambda api, _: api.list_contracts(),
    },
    "psa": {
        "find_clients": lambda api, ids: api.find_clients(name=ids["client_name"]),
        "get_client_by_key": lambda api, ids: api.get_client_by_key(ids["client_key"]),
        "get_project": lambda api, ids: api.get_project(ids["project"]),
        "get_project_by_key": lambda api, ids: api.get_project_by_key(ids["project_key"]),
        "list_projects": lambda api, _: api.list_projects(),
    },
}
WRITES: dict[str, dict[str, Act]] = {
    "crm": {"put_project_link": lambda api, ids: api.put_project_link(ids["opportunity"], LINK)},
    "erp": {
        "put_customer": lambda api, _: api.put_customer("enf-golden", CUSTOMER),
        "put_contract": lambda api, ids: api.put_contract("enf-golden", contract(ids["owner"])),
        "close_contract": lambda api, _: api.close_contract("enf-golden"),
    },
    "psa": {
        "put_client": lambda api, _: api.put_client("enf-golden", CLIENT),
        "put_project": lambda api, ids: api.put_project("enf-golden", project(ids["owner"])),
        "cancel_project": lambda api, _: api.cancel_project("enf-golden"),
    },
}
