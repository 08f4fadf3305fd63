"""What a person does in a vendor's screens, and sees there: the same words for every vendor of a capability.

A vendor's folder declares `CONSOLE` in its `console.py`: a class that takes one account of its stand-in and
has the methods of the capabilities that the vendor serves. The demo and the journeys speak to consoles only.
"""

import itertools
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Protocol

Record = dict[str, Any]


class Screens(Protocol):
    """One account of a stand-in by its control API: records under the vendor's own names, raw."""

    name: str

    async def records(self, record_type: str) -> list[Record]: ...
    async def record(self, record_type: str, record_id: str) -> Record: ...
    async def create(self, record_type: str, **fields: Any) -> Record: ...
    async def edit(self, record_type: str, record_id: str, **fields: Any) -> Record: ...
    async def seed(self, records: dict[str, list[Record]]) -> dict[str, list[str]]: ...
    async def change_settings(self, settings: Record) -> None: ...
    async def count_calls(self, *, method: str | None = None, path: str | None = None) -> Record: ...


class Console:
    """What every vendor's console answers; a vendor overrides what differs."""

    title: ClassVar[str]

    def __init__(self, screens: Screens) -> None:
        self.screens = screens

    def settings(self, hook: str) -> Record:  # noqa: ARG002 - a default
        """The settings by which the account pushes its notifications to this address, if it can."""
        return {}

    async def is_listened_to(self) -> bool:
        """Whether the product has subscribed to the account's notifications: earlier ones may go unheard."""
        return True


@dataclass(frozen=True)
class Deal:
    """A deal as the CRM has it. Terms are our reference codes, empty where the deal lacks them."""

    id: str
    name: str
    stage: str
    """open, won or lost"""
    customer_id: str
    customer_name: str
    currency: str = ""
    amount: Decimal | None = None
    lines: int = 0
    close_date: str = ""
    service_line: str = ""
    region: str = ""
    pricing_model: str = ""
    delivery_template: str = ""
    rate_card: str = ""
    payment_terms: str = ""
    expected_start: str = ""
    expected_end: str = ""
    project_id: str = ""
    project_url: str = ""
    project_status: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it is open, and lacks none of the terms that a project needs."""
        terms = (self.service_line, self.delivery_template, self.rate_card, self.expected_start)
        return self.stage == "open" and all(terms)


class CrmConsole(Protocol):
    """A salesperson's screens. Fields have the names of `Deal`, a customer's those of `CUSTOMER`."""

    async def deals(self) -> list[Deal]:
        """Every deal that is not deleted, in the order in which they were made."""
        ...

    async def deal(self, deal_id: str) -> Deal: ...

    async def create_customer(self, **fields: Any) -> str:
        """The id of a new account."""
        ...

    async def restore_customer(self, customer_id: str, **fields: Any) -> None:
        """Put an account back under an id that it had, without any notification."""
        ...

    async def edit_customer(self, customer_id: str, **fields: Any) -> None: ...

    async def create_deal(self, **fields: Any) -> str:
        """The id of a new open deal; without `lines`."""
        ...

    async def edit_deal(self, deal_id: str, **fields: Any) -> None:
        """Change some fields; `stage="won"` closes the deal."""
        ...

    async def copy_deal(self, deal_id: str, **fields: Any) -> str:
        """The id of a new open deal with the terms and lines of another, except for the given fields."""
        ...


@dataclass(frozen=True)
class CustomerRecord:
    """A customer in the ERP, active unless it says otherwise."""

    id: str
    key: str
    name: str
    active: bool = True
    tax_number: str = ""
    credit_limit: Decimal | None = None


@dataclass(frozen=True)
class ContractRecord:
    """A contract in the ERP with the sum of its lines and what it bills; open until all lines are closed."""

    id: str
    key: str
    number: str
    customer_id: str
    deal_id: str
    open: bool
    total: Decimal
    lines: tuple[Decimal, ...] = ()
    billing: tuple[Decimal, ...] = ()
    tax: Decimal = Decimal(0)


class ErpConsole(Protocol):
    """The screens of the finance department."""

    async def customers(self) -> list[CustomerRecord]: ...
    async def contracts(self) -> list[ContractRecord]: ...
    async def create_customer(self, *, name: str, entity: str, tax_number: str = "") -> str:
        """The id of a customer that a person has made by hand, without a key of ours."""
        ...

    async def block_customer(self, customer_id: str, *, blocked: bool = True) -> None:
        """Finance stops selling to a customer, or goes on."""
        ...


@dataclass(frozen=True)
class ClientRecord:
    """A client in the PSA."""

    id: str
    key: str
    name: str


@dataclass(frozen=True)
class ProjectRecord:
    """A project in the PSA: titles of tasks and milestones, planned roles, and which have a demand."""

    id: str
    key: str
    name: str
    live: bool
    client_id: str = ""
    tasks: tuple[str, ...] = ()
    milestones: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    staffed: tuple[str, ...] = ()
    """The planned role of each staffing demand."""


class PsaConsole(Protocol):
    """The screens of the delivery department."""

    async def clients(self) -> list[ClientRecord]: ...
    async def projects(self) -> list[ProjectRecord]: ...
    async def create_client(self, *, name: str, website: str = "") -> str:
        """The id of a client that a person has made by hand, without a key of ours."""
        ...


CUSTOMER: Record = {
    "street": "1 Quay Street",
    "city": "Leeds",
    "postal_code": "LS1 1AA",
    "country": "GB",
    "country_name": "United Kingdom",
    "currency": "GBP",
    "credit_limit": 40_000,
}
"""A customer of whom nobody need be asked; beside these, fields are legal_name, tax_number and industry."""

DEAL: Record = {
    "close_date": "2026-12-18",
    "currency": "GBP",
    "amount": 96_000,
    "service_line": "CLOUD",
    "region": "UKI",
    "pricing_model": "fixed_price",
    "delivery_template": "DT-CLOUD-MIGRATION",
    "rate_card": "RC-UK-2026",
    "payment_terms": "Net 30",
    "expected_start": "2027-01-11",
    "expected_end": "2027-06-30",
}
"""A deal that lacks nothing but its closing."""

_NUMBERS = itertools.count(1)


async def new_deal(console: Any, *, customer: Record | None = None, **fields: Any) -> tuple[str, str]:
    """The ids of a new deal and its customer, a new one unless `customer_id` is given.

    Both are complete except where the fields say otherwise.
    """
    name = fields.get("name") or f"Deal {console.screens.name} {next(_NUMBERS)}"
    theirs = {"legal_name": f"{name} Ltd", "tax_number": _tax_number(name), **CUSTOMER, **(customer or {})}
    customer_id = fields.get("customer_id") or await console.create_customer(**theirs)
    deal = {**DEAL, **fields, "name": name, "customer_id": customer_id}
    return await console.create_deal(**deal), customer_id


def _tax_number(name: str) -> str:
    """A British one, another for each name."""
    return f"GB{abs(hash(name)) % 10**9:09d}"
