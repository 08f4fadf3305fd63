"""A commercial agreement with a customer: value, pricing model and billing schedule."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.canonical.objects import BusinessObject
from contracts.canonical.opportunity import PricingModel
from contracts.canonical.values import Id, Instant, LeftOut, Money, Name, Quantity, Ref

CONTRACT = BusinessObject("contract", stage="active")

ContractStatus = Literal["draft", "active", "closed"]


class BillingLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One amount that becomes due on a business date."""

    description: str
    due: dt.date
    amount: Money
    kind: Literal["milestone", "retainer", "time_and_materials_cap"] = "milestone"


class ContractLine(msgspec.Struct, frozen=True, omit_defaults=True):
    description: str
    quantity: Quantity
    amount: Money
    service_line: str
    tax_code: str = ""


class ContractDraft(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one needs to know to create a contract in an ERP; `customer_id` is the ERP's own."""

    name: Name
    customer_id: Id
    opportunity_ref: str
    revision: Annotated[int, Meta(ge=1)]
    selling_entity: str
    value: Money
    pricing_model: PricingModel
    payment_terms: str
    tax_profile: str
    start: dt.date
    end: dt.date
    lines: Annotated[tuple[ContractLine, ...], Meta(min_length=1, max_length=200)]
    billing_schedule: tuple[BillingLine, ...] = ()
    rate_card_id: str = ""
    custom: dict[str, str] = {}


class Contract(msgspec.Struct, frozen=True, omit_defaults=True):
    id: Id
    version: str
    updated_at: Instant
    customer_id: str
    status: ContractStatus
    value: Money
    name: str = ""
    number: str = ""
    opportunity_ref: str = ""
    selling_entity: str = ""
    pricing_model: PricingModel | None = None
    billing_schedule: tuple[BillingLine, ...] = ()
    rate_card_id: str = ""
    tax_profile: str = ""
    payment_terms: str = ""
    revision: int = 1
    start: dt.date | None = None
    end: dt.date | None = None
    refs: tuple[Ref, ...] = ()


class Contracts(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[Contract, ...]
    next_cursor: str | None = None
    left_out: tuple[LeftOut, ...] = ()
