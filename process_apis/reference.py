"""Reference data: look-ups over what the firm decides in versioned files, and how they must agree."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property

from contracts.canonical import countries, currencies
from contracts.canonical.reference import (
    DeliveryTemplate,
    LegalEntity,
    RateCard,
    ReferenceData,
    Region,
    ServiceLine,
    TaxProfile,
)
from contracts.problems import Fault, NotFound

ANY = "*"


class Reference:
    """Look-ups over one version of the reference data."""

    def __init__(self, data: ReferenceData) -> None:
        self.data = data

    @cached_property
    def entities(self) -> dict[str, LegalEntity]:
        return {entity.code: entity for entity in self.data.legal_entities}

    def require_entity(self, code: str) -> None:
        """That a legal entity is one of ours; raises NotFound, as a fault of the request's `selling_entity`.

        A route for every other entity is for those that we have.
        """
        if code not in self.entities:
            detail = f"No legal entity of ours is named {code}."
            raise NotFound(detail, errors=(Fault("/selling_entity", detail, "unknown"),))

    @cached_property
    def regions(self) -> dict[str, Region]:
        return {region.code: region for region in self.data.regions}

    @cached_property
    def service_lines(self) -> dict[str, ServiceLine]:
        return {line.code: line for line in self.data.service_lines}

    @cached_property
    def rate_cards(self) -> dict[str, RateCard]:
        return {rate_card.code: rate_card for rate_card in self.data.rate_cards}

    @cached_property
    def templates(self) -> dict[str, DeliveryTemplate]:
        return {template.code: template for template in self.data.delivery_templates}

    def selling_entity(self, region: str, service_line: str) -> LegalEntity | None:
        """The entity that sells a service line in a region, by the first rule that fits.

        For an unknown service line it is the region's only entity, if there is only one: ``*`` is
        every line that we have.
        """
        rules = [rule for rule in self.data.selling_rules if rule.region == region]
        if service_line in self.service_lines:
            rules = [rule for rule in rules if rule.service_line in (ANY, service_line)]
        elif len({rule.selling_entity for rule in rules}) > 1:
            return None
        return self.entities[rules[0].selling_entity] if rules else None

    def tax_profile(self, selling_entity: str, country: str) -> TaxProfile | None:
        """How an entity taxes a customer of a country: its own rule before that for every other country.

        What is no code of ISO 3166-1 is no other country: it has no profile.
        """
        if not countries.is_code(country):
            return None
        profiles = [p for p in self.data.tax_profiles if p.selling_entity == selling_entity]
        exact = [p for p in profiles if p.customer_country == country]
        return next(iter(exact or [p for p in profiles if p.customer_country == ANY]), None)


def inconsistencies(reference: Reference) -> list[str]:
    """Everything in which the files contradict each other or ISO's codes, each with its place before it."""
    data = reference.data
    return [
        *_unknown_codes(data),
        *_unknown_names(reference),
        *(
            fault
            for at, template in enumerate(data.delivery_templates)
            for fault in _template_faults(f"delivery_templates[{at}]", template, reference)
        ),
        *(
            f"rate_cards[{at}].lines: {rate_card.code} has a line for {line.role} that ends before it begins"
            for at, rate_card in enumerate(data.rate_cards)
            for line in rate_card.lines
            if line.effective_to and line.effective_to < line.effective_from
        ),
    ]


def _unknown_codes(data: ReferenceData) -> Iterator[str]:
    """Countries and currencies that ISO 3166-1 and ISO 4217 do not have."""
    for at, entity in enumerate(data.legal_entities):
        yield from _no_country(f"legal_entities[{at}].country", entity.country)
        yield from _no_currency(f"legal_entities[{at}].currency", entity.currency)
    for at, profile in enumerate(data.tax_profiles):
        if profile.customer_country != ANY:
            yield from _no_country(f"tax_profiles[{at}].customer_country", profile.customer_country)
    for at, rate_card in enumerate(data.rate_cards):
        yield from _no_currency(f"rate_cards[{at}].currency", rate_card.currency)


def _no_country(place: str, code: str) -> Iterator[str]:
    if not countries.is_code(code):
        meant = countries.code_of(code)
        hint = f"; {countries.NAMES[meant]} is {meant}" if meant else ""
        yield f"{place}: {code} is no country code of ISO 3166-1 (two letters){hint}"


def _no_currency(place: str, code: str) -> Iterator[str]:
    if not currencies.is_code(code):
        yield f"{place}: {code} is no currency of ISO 4217"


def _unknown_names(reference: Reference) -> Iterator[str]:
    data = reference.data
    for at, rule in enumerate(data.selling_rules):
        place = f"selling_rules[{at}]"
        if rule.region not in reference.regions:
            yield f"{place}.region: selling rule names the unknown region {rule.region}"
        if rule.service_line not in (ANY, *reference.service_lines):
            yield f"{place}.service_line: selling rule names the unknown service line {rule.service_line}"
        if rule.selling_entity not in reference.entities:
            yield f"{place}.selling_entity: selling rule names the unknown entity {rule.selling_entity}"
    for at, profile in enumerate(data.tax_profiles):
        if profile.selling_entity not in reference.entities:
            names = f"tax profile {profile.code} names the unknown entity {profile.selling_entity}"
            yield f"tax_profiles[{at}].selling_entity: {names}"


def _template_faults(place: str, template: DeliveryTemplate, reference: Reference) -> Iterator[str]:
    sums = {
        ("tasks", "hours_share of its tasks"): sum((each.hours_share for each in template.tasks), Decimal(0)),
        ("tasks", "billing_share of its milestones"): sum(
            (each.billing_share for each in template.tasks), Decimal(0)
        ),
        ("roles", "hours_share of its roles"): sum((each.hours_share for each in template.roles), Decimal(0)),
    }
    for (name, what), total in sums.items():
        if total != 1:
            yield f"{place}.{name}: delivery template {template.code}: the {what} adds up to {total}, not 1"
    if template.service_line not in reference.service_lines:
        names = f"delivery template {template.code} names the unknown service line {template.service_line}"
        yield f"{place}.service_line: {names}"


def rate_at(rate_card: RateCard, role: str, region: str, on: dt.date) -> Decimal | None:
    """The bill rate per hour of a role in a region on a date; None when the card has none."""
    for line in rate_card.lines:
        ends = line.effective_to or dt.date.max
        if line.role == role and line.region == region and line.effective_from <= on <= ends:
            return line.bill_rate
    return None
