"""Reference data: look-ups over what the firm decides in versioned files, and how they must agree."""

import datetime as dt
from decimal import Decimal
from functools import cached_property

from contracts.canonical.reference import (
    DeliveryTemplate,
    LegalEntity,
    RateCard,
    ReferenceData,
    Region,
    ServiceLine,
    TaxProfile,
)

ANY = "*"


class Reference:
    """Look-ups over one version of the reference data."""

    def __init__(self, data: ReferenceData) -> None:
        self.data = data

    @cached_property
    def entities(self) -> dict[str, LegalEntity]:
        return {entity.code: entity for entity in self.data.legal_entities}

    @cached_property
    def regions(self) -> dict[str, Region]:
        return {region.code: region for region in self.data.regions}

    @cached_property
    def service_lines(self) -> dict[str, ServiceLine]:
        return {line.code: line for line in self.data.service_lines}

    @cached_property
    def rate_cards(self) -> dict[str, RateCard]:
        return {card.code: card for card in self.data.rate_cards}

    @cached_property
    def templates(self) -> dict[str, DeliveryTemplate]:
        return {template.code: template for template in self.data.delivery_templates}

    def selling_entity(self, region: str, service_line: str) -> LegalEntity | None:
        """The entity that sells a service line in a region, by the first rule that fits."""
        for rule in self.data.selling_rules:
            if rule.region == region and rule.service_line in (ANY, service_line):
                return self.entities[rule.selling_entity]
        return None

    def tax_profile(self, selling_entity: str, country: str) -> TaxProfile | None:
        """How an entity taxes a customer of a country: its own rule before that for every other country."""
        profiles = [p for p in self.data.tax_profiles if p.selling_entity == selling_entity]
        exact = [p for p in profiles if p.customer_country == country]
        return next(iter(exact or [p for p in profiles if p.customer_country == ANY]), None)


def inconsistencies(reference: Reference) -> list[str]:
    """Everything in which the files contradict each other, a sentence each."""
    data = reference.data
    faults: list[str] = []
    for rule in data.selling_rules:
        if rule.region not in reference.regions:
            faults.append(f"selling rule names the unknown region {rule.region}")
        if rule.service_line not in (ANY, *reference.service_lines):
            faults.append(f"selling rule names the unknown service line {rule.service_line}")
        if rule.selling_entity not in reference.entities:
            faults.append(f"selling rule names the unknown entity {rule.selling_entity}")
    faults += [
        f"tax profile {profile.code} names the unknown entity {profile.selling_entity}"
        for profile in data.tax_profiles
        if profile.selling_entity not in reference.entities
    ]
    for template in data.delivery_templates:
        faults += _template_faults(template, reference)
    faults += [
        f"rate card {card.code} has a line for {line.role} that ends before it begins"
        for card in data.rate_cards
        for line in card.lines
        if line.effective_to and line.effective_to < line.effective_from
    ]
    return faults


def _template_faults(template: DeliveryTemplate, reference: Reference) -> list[str]:
    one = Decimal(1)
    sums = {
        "hours_share of its tasks": sum((task.hours_share for task in template.tasks), Decimal(0)),
        "billing_share of its milestones": sum((task.billing_share for task in template.tasks), Decimal(0)),
        "hours_share of its roles": sum((role.hours_share for role in template.roles), Decimal(0)),
    }
    faults = [
        f"delivery template {template.code}: the {what} adds up to {total}, not 1"
        for what, total in sums.items()
        if total != one
    ]
    if template.service_line not in reference.service_lines:
        faults.append(
            f"delivery template {template.code} names the unknown service line {template.service_line}"
        )
    return faults


def rate_at(card: RateCard, role: str, region: str, on: dt.date) -> Decimal | None:
    """The bill rate per hour of a role in a region on a date; None when the card has none."""
    for line in card.lines:
        ends = line.effective_to or dt.date.max
        if line.role == role and line.region == region and line.effective_from <= on <= ends:
            return line.bill_rate
    return None
