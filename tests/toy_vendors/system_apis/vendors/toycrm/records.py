"""system_apis: Toy CRM's documents, under its own names."""

import datetime as dt
from decimal import Decimal
from typing import Generic, Literal, TypeVar

import msgspec

D = TypeVar("D")


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What every document has."""

    id: str
    version: int
    changed_at: dt.datetime
    key: str = ""


class Deal(Document, frozen=True, kw_only=True):
    title: str
    state: Literal["open", "won", "lost"]
    state_since: dt.datetime
    account: str
    currency: str = ""
    amount: Decimal | None = None
    close_date: dt.date | None = None
    service_line: str = ""
    region: str = ""
    pricing_model: Literal["fixed_price", "time_and_materials", "retainer", ""] = ""
    delivery_template: str = ""
    rate_card: str = ""
    payment_terms: str = ""
    expected_start: dt.date | None = None
    expected_end: dt.date | None = None
    project_id: str = ""
    project_url: str = ""
    project_status: str = ""


class Account(Document, frozen=True, kw_only=True):
    legal_name: str
    street: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    currency: str = ""
    tax_number: str = ""
    credit_limit: Decimal | None = None
    industry: str = ""


class Contact(Document, frozen=True, kw_only=True):
    account: str
    name: str
    email: str = ""


class Rows(msgspec.Struct, Generic[D], frozen=True):
    """A page of documents."""

    items: tuple[D, ...]
    more: bool
