"""An opportunity: a deal in the CRM, with the terms that the project and the contract will need."""

import datetime as dt
from typing import Literal

import msgspec

from contracts.canonical.objects import BusinessObject
from contracts.canonical.values import Id, Instant, LeftOut, Money, Quantity, Ref

OPPORTUNITY = BusinessObject("opportunity")

PricingModel = Literal["fixed_price", "time_and_materials", "retainer"]
Stage = Literal["open", "won", "lost"]


class OpportunityLine(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    description: str
    quantity: Quantity
    unit_price: Money
    total: Money
    product: str = ""
    service_date: dt.date | None = None


class TeamMember(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    email: str = ""
    role: str = ""


class Opportunity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A deal. Terms that the CRM does not hold are absent, never invented.

    `service_line`, `region` and `pricing_model` are our reference codes; where the CRM's value has no
    mapping the field is absent and `unmapped` has the vendor's values, by canonical field name.
    """

    id: Id
    version: str
    updated_at: Instant
    name: str
    stage: Stage
    customer_id: str = ""
    stage_label: str = ""
    amount: Money | None = None
    probability: int | None = None
    close_date: dt.date | None = None
    service_line: str = ""
    region: str = ""
    pricing_model: PricingModel | None = None
    delivery_template: str = ""
    rate_card: str = ""
    payment_terms: str = ""
    expected_start: dt.date | None = None
    expected_end: dt.date | None = None
    project_ref: str = ""
    lines: tuple[OpportunityLine, ...] = ()
    account_team: tuple[TeamMember, ...] = ()
    unmapped: dict[str, str] = {}
    refs: tuple[Ref, ...] = ()


class Opportunities(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[Opportunity, ...]
    next_cursor: str | None = None
    left_out: tuple[LeftOut, ...] = ()


class ProjectLink(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is written to the CRM opportunity once its project exists; empty fields clear (undo).

    With `only_while` nothing is written unless the deal is at that stage when the CRM takes the write.
    """

    project_id: str
    status: str
    project_url: str = ""
    only_while: Stage | None = None
