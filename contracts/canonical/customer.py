"""A customer: the firm that we sell to, with its legal and billing master."""

from typing import Literal

import msgspec

from contracts.canonical import countries
from contracts.canonical.objects import BusinessObject
from contracts.canonical.values import (
    Address,
    Country,
    Currency,
    Id,
    Instant,
    Key,
    LeftOut,
    Money,
    Name,
    Ref,
    TaxRegistration,
)
from contracts.problems import Fault

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
    """A customer as one system, or we, know it.

    `other_entities` are our legal entities, beside `selling_entity`, that sell to it too.
    """

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
    other_entities: tuple[str, ...] = ()

    def is_of(self, entity: str) -> bool:
        """Whether the legal entity sells to it; one without any is everyone's."""
        return self.selling_entity in (entity, "") or entity in self.other_entities


class Customers(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of customers."""

    items: tuple[Customer, ...]
    next_cursor: str | None = None
    left_out: tuple[LeftOut, ...] = ()


class CustomerQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to look for when one searches for duplicates; any of these may match."""

    name: str = ""
    tax_number: str = ""
    domain: str = ""
    country: Country | None = None
    key: Key | None = None


def draft_of(account: Customer, selling_entity: str, currency: str, payment_terms: str = "") -> CustomerDraft:
    """The data from which an ERP creates a firm that the CRM knows, for a legal entity of ours."""
    limit, address = account.credit_limit, account.billing_address
    if address is not None:
        address = msgspec.structs.replace(address, country=countries.code_or_text(address.country))
    return CustomerDraft(
        legal_name=account.legal_name,
        selling_entity=selling_entity,
        currency=currency,
        payment_terms=payment_terms or account.payment_terms,
        trading_name=account.trading_name,
        billing_address=address,
        tax_registrations=account.tax_registrations,
        # A limit in another currency is finance's to convert, never ours.
        credit_limit=limit if limit is not None and limit.currency == currency else None,
        email=account.email,
    )


def faults_of(account: Customer) -> tuple[Fault, ...]:
    """What prevents an ERP from creating a firm, a sentence each."""
    given = account.billing_address.country if account.billing_address else ""
    if not given or countries.code_of(given):
        return ()
    detail = (
        f"The billing country of {account.legal_name} is “{given}”, which is no country that we know. "
        "Put the country's English name or its code of two letters (ISO 3166) on the account."
    )
    owner = "the account's owner in the CRM"
    return (Fault("/billing_address/country", detail, "unknown", field="Billing country", fixed_by=owner),)


def amount_in_words(amount: Money | None) -> str:
    """An amount as people write it."""
    return f"{amount.amount:,} {amount.currency}" if amount else "none"


def in_words(customer: Customer) -> dict[str, str]:
    """The legal and billing data of a firm, as people name and write them."""
    address = customer.billing_address
    numbers = (f"{tax.number} ({tax.country or 'no country'})" for tax in customer.tax_registrations)
    return {
        "Legal name": customer.legal_name,
        "Tax number": ", ".join(numbers) or "none",
        "Credit limit": amount_in_words(customer.credit_limit),
        "Billing address": ", ".join(filter(None, msgspec.structs.astuple(address))) if address else "none",
        "Payment terms": customer.payment_terms or "none",
    }
