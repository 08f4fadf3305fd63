"""Reference data: what the firm decides in versioned files, not in code."""

import datetime as dt
from decimal import Decimal

import msgspec

from contracts.canonical.values import Code, Country, Currency, Name


class LegalEntity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A company of the firm that sells, with its currency and tax country."""

    code: Code
    name: Name
    country: Country
    currency: Currency


class TaxProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a selling entity taxes a customer; `customer_country` ``*`` is every other country."""

    code: Code
    selling_entity: Code
    customer_country: str
    requires_tax_number: bool
    description: str = ""


class ServiceLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Code
    name: Name


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Code
    name: Name


class SellingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which legal entity sells a service line in a region; ``*`` is every service line."""

    region: Code
    service_line: str
    selling_entity: Code


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Name
    region: Code
    bill_rate: Decimal
    cost_rate: Decimal
    effective_from: dt.date
    effective_to: dt.date | None = None


class RateCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Code
    name: Name
    currency: Currency
    lines: tuple[Rate, ...]


class TemplateTask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task at `offset` (0 to 1) of the project's length, for `share` of its hours."""

    code: Code
    title: Name
    start_offset: Decimal
    end_offset: Decimal
    hours_share: Decimal = Decimal(0)
    milestone: bool = False
    billing_share: Decimal = Decimal(0)
    parent: str = ""


class TemplateRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Name
    hours_share: Decimal
    skills: tuple[str, ...] = ()


class DeliveryTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a project of a kind consists of; shares of hours and of billing each add up to one."""

    code: Code
    name: Name
    service_line: Code
    tasks: tuple[TemplateTask, ...]
    roles: tuple[TemplateRole, ...]


class ReferenceData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All reference data of the firm at one version."""

    version: int
    legal_entities: tuple[LegalEntity, ...]
    regions: tuple[Region, ...]
    service_lines: tuple[ServiceLine, ...]
    selling_rules: tuple[SellingRule, ...]
    tax_profiles: tuple[TaxProfile, ...]
    rate_cards: tuple[RateCard, ...]
    delivery_templates: tuple[DeliveryTemplate, ...]
    payment_terms: tuple[Code, ...]
