"""A customer: the firm that we sell to, with its legal and billing master."""

from typing import Literal

import msgspec

from contracts.canonical.objects import BusinessObject
from contracts.canonical.values import (
    Address,
    Country,
    Currency,
    Id,
    Instant,
    Key,
    Money,
    Name,
    Ref,
    TaxRegistration,
)

CUSTOMER = BusinessObject("customer", stage="approved")

CustomerStatus = Literal["prospect", "proposed", "approved", "blocked"]


class CustomerDraft(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one needs to know to create a customer in an ERP or a client in a PSA."""

    legal_name: Name
    selling_entity: str
    currency: Currency
    payment_terms: str = ""
    trading_name: str = ""
    billing_address: Address | None = None
    tax_registrations: tuple[TaxRegistration, ...] = ()
    credit_limit: Money | None = None
    email: str = ""
    parent_id: str = ""
    custom: dict[str, str] = {}


class Customer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A customer as one system, or we, know it."""

    id: Id
    version: str
    updated_at: Instant
    legal_name: str
    status: CustomerStatus
    trading_name: str = ""
    parent_id: str = ""
    selling_entity: str = ""
    billing_address: Address | None = None
    tax_registrations: tuple[TaxRegistration, ...] = ()
    currency: str = ""
    payment_terms: str = ""
    credit_limit: Money | None = None
    industry: str = ""
    segment: str = ""
    account_owner: str = ""
    email: str = ""
    website: str = ""
    refs: tuple[Ref, ...] = ()


class Customers(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of customers."""

    items: tuple[Customer, ...]
    next_cursor: str | None = None


class CustomerQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to look for when one searches for duplicates; any of these may match."""

    name: str = ""
    tax_number: str = ""
    domain: str = ""
    country: Country | None = None
    key: Key | None = None
