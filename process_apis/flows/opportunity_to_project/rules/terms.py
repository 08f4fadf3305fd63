"""What a won opportunity must bring to become a project, each fault with who can fix it."""

import datetime as dt

import msgspec

from contracts.canonical import countries, currencies
from contracts.canonical.customer import Customer
from contracts.canonical.opportunity import Opportunity, OpportunityLine, PricingModel
from contracts.canonical.reference import LegalEntity, TaxProfile
from contracts.canonical.values import Money
from contracts.problems import Fault
from contracts.routing import SystemAssignment
from process_apis.reference import Reference, rate_at

SALES = "the opportunity's owner in the CRM"
FINANCE = "finance"
OPERATIONS = "operations (reference data)"
LONGEST_DAYS = 5 * 366

LABELS = {
    "stage": "Stage",
    "amount": "Amount",
    "customer_id": "Account",
    "region": "Delivery region",
    "service_line": "Service line",
    "pricing_model": "Pricing model",
    "delivery_template": "Delivery template",
    "rate_card": "Rate card",
    "payment_terms": "Payment terms",
    "expected_start": "Expected start",
    "expected_end": "Expected end",
}


class Corrections(msgspec.Struct, frozen=True, omit_defaults=True):
    """The terms that a person may correct in place of the CRM's values, each a field of the opportunity.

    But `client_id`: the client to take in the PSA, where the customer's own is there no more.
    """

    client_id: str = ""
    customer_id: str = ""
    region: str = ""
    service_line: str = ""
    pricing_model: PricingModel | None = None
    delivery_template: str = ""
    rate_card: str = ""
    payment_terms: str = ""
    expected_start: dt.date | None = None
    expected_end: dt.date | None = None


class Terms(msgspec.Struct, frozen=True):
    """A won opportunity of which everything is known that contract and project need, and their systems.

    `read_at` is when it was read, `country` and `credit_limit` are the account's; runs of earlier versions do
    not have them.
    """

    instance: str
    opportunity_id: str
    name: str
    account_id: str
    account_name: str
    revision: int
    selling_entity: str
    value: Money
    pricing_model: PricingModel
    service_line: str
    region: str
    template: str
    rate_card: str
    payment_terms: str
    tax_profile: str
    start: dt.date
    end: dt.date
    lines: tuple[OpportunityLine, ...] = ()
    systems: SystemAssignment = {}
    read_at: dt.datetime | None = None
    country: str = ""
    credit_limit: Money | None = None


class TermsVerdict(msgspec.Struct, frozen=True):
    """Either terms, or every fault that stands in their way."""

    terms: Terms | None
    faults: tuple[Fault, ...]


def correct(opportunity: Opportunity, corrections: dict[str, str]) -> Opportunity:
    """The opportunity with a person's corrections in place of the CRM's values, field by field."""
    if not corrections:
        return opportunity
    fields = msgspec.structs.fields(Corrections)
    known = {field.name: field.type for field in fields if field.name in Opportunity.__struct_fields__}
    values = {
        name: msgspec.convert(text, known[name], strict=False)
        for name, text in corrections.items()
        if name in known
    }
    unmapped = {name: value for name, value in opportunity.unmapped.items() if name not in values}
    return msgspec.structs.replace(opportunity, **values, unmapped=unmapped)


def entity_of(opportunity: Opportunity, reference: Reference) -> str:
    """The legal entity that sells; empty while region and service line do not determine it."""
    entity = reference.selling_entity(opportunity.region, opportunity.service_line)
    return entity.code if entity is not None else ""


def judge(
    instance: str, opportunity: Opportunity, customer: Customer | None, reference: Reference, revision: int
) -> TermsVerdict:
    """Whether the opportunity can become a project; every fault at once, each with who can fix it."""
    faults = [
        *_missing(opportunity),
        *_unknown_codes(opportunity, reference),
        *_bad_dates(opportunity),
        *_bad_amount(opportunity),
    ]
    entity = reference.selling_entity(opportunity.region, opportunity.service_line)
    if opportunity.region in reference.regions and opportunity.service_line in reference.service_lines:
        faults += _entity_faults(opportunity, entity)
    tax = None
    if entity is not None and customer is not None:
        tax = _tax_profile(entity, customer, reference)
        faults += _tax_faults(entity, customer, tax)
    if entity is not None:
        faults += _money_faults(opportunity, entity, reference)
    faults += _template_faults(opportunity, reference)
    if faults or entity is None or tax is None or customer is None:
        return TermsVerdict(None, tuple(faults))
    return TermsVerdict(_terms(instance, opportunity, customer, entity, tax, revision), ())


def _fault(field: str, code: str, detail: str, fixed_by: str = SALES) -> Fault:
    return Fault(
        pointer=f"/{field}", field=LABELS.get(field, field), code=code, detail=detail, fixed_by=fixed_by
    )


def _missing(opportunity: Opportunity) -> list[Fault]:
    faults = []
    if opportunity.stage != "won":
        stage = opportunity.stage_label or opportunity.stage
        faults.append(_fault("stage", "not_won", f"The opportunity is not won yet: its stage is “{stage}”."))
    for name, label in LABELS.items():
        if name in {"stage", "amount"} or getattr(opportunity, name):
            continue
        value = opportunity.unmapped.get(name)
        if value:
            detail = (
                f"{label} “{value}” is not a value that we know. Choose another, or ask operations to map it."
            )
            faults.append(_fault(name, "unmapped", detail))
        else:
            faults.append(_fault(name, "missing", f"{label} is empty. Fill it in on the opportunity."))
    return faults


def _unknown_codes(opportunity: Opportunity, reference: Reference) -> list[Fault]:
    known = {
        "region": reference.regions,
        "service_line": reference.service_lines,
        "delivery_template": reference.templates,
        "rate_card": reference.rate_cards,
        "payment_terms": dict.fromkeys(reference.data.payment_terms),
    }
    return [
        _fault(
            name,
            "unknown",
            f"{LABELS[name]} “{value}” does not exist. Known are: {', '.join(sorted(codes))}.",
        )
        for name, codes in known.items()
        if (value := getattr(opportunity, name)) and value not in codes
    ]


def _bad_dates(opportunity: Opportunity) -> list[Fault]:
    start, end = opportunity.expected_start, opportunity.expected_end
    if start is None or end is None:
        return []
    if end < start:
        return [
            _fault("expected_end", "before_start", f"Expected end {end} lies before expected start {start}.")
        ]
    if (end - start).days > LONGEST_DAYS:
        return [_fault("expected_end", "too_long", f"From {start} to {end} is longer than five years.")]
    return []


def _bad_amount(opportunity: Opportunity) -> list[Fault]:
    amount = opportunity.amount
    if amount is None:
        return [
            _fault("amount", "missing", "Amount is empty. Fill it in, or add products to the opportunity.")
        ]
    if amount.amount <= 0:
        return [
            _fault("amount", "not_positive", f"Amount is {amount.amount}; a contract needs a positive value.")
        ]
    if not currencies.is_code(amount.currency):
        return [
            _fault("amount", "unknown_currency", f"{amount.currency} is no currency that we know (ISO 4217).")
        ]
    if not currencies.is_payable(amount):
        detail = (
            f"Amount is {amount.amount} {amount.currency}; no payment is less than "
            f"{currencies.unit(amount.currency)} {amount.currency}. Round it on the opportunity."
        )
        return [_fault("amount", "not_payable", detail)]
    return []


def _entity_faults(opportunity: Opportunity, entity: LegalEntity | None) -> list[Fault]:
    if entity is not None:
        return []
    detail = (
        f"No company of ours sells {opportunity.service_line} in {opportunity.region}. "
        "Change region or service line, or ask operations for a selling rule."
    )
    return [_fault("region", "no_selling_entity", detail, OPERATIONS)]


def country_of(customer: Customer) -> str:
    """The customer's country for tax, as given in its billing address; empty where there is none.

    A tax registration of another country says nothing of where the customer is billed.
    """
    return customer.billing_address.country if customer.billing_address else ""


def _tax_profile(entity: LegalEntity, customer: Customer, reference: Reference) -> TaxProfile | None:
    return reference.tax_profile(entity.code, countries.code_of(country_of(customer)))


def _tax_faults(entity: LegalEntity, customer: Customer, profile: TaxProfile | None) -> list[Fault]:
    given = country_of(customer)
    if not given:
        detail = f"The account {customer.legal_name} has no billing country. Fill in its billing address."
        return [_account_fault("billing_address/country", "Billing country", "missing", detail, SALES)]
    if not countries.code_of(given):
        detail = (
            f"The billing country of {customer.legal_name} is “{given}”, which is no country that we know. "
            "Put the country's English name or its code of two letters (ISO 3166) on the account."
        )
        return [_account_fault("billing_address/country", "Billing country", "unknown", detail, SALES)]
    if profile is None:
        detail = (
            f"{entity.name} has no tax profile for customers in {countries.NAMES[countries.code_of(given)]}."
        )
        return [_account_fault("billing_address/country", "Tax profile", "no_tax_profile", detail, FINANCE)]
    if profile.requires_tax_number and not customer.tax_registrations:
        detail = (
            f"{customer.legal_name} needs a tax number to be billed by {entity.name} ({profile.description})."
        )
        return [_account_fault("tax_registrations", "Tax number", "missing", detail, SALES)]
    return []


def _account_fault(path: str, field: str, code: str, detail: str, fixed_by: str) -> Fault:
    return Fault(pointer=f"/customer/{path}", field=field, code=code, detail=detail, fixed_by=fixed_by)


def _money_faults(opportunity: Opportunity, entity: LegalEntity, reference: Reference) -> list[Fault]:
    faults = []
    rate_card = reference.rate_cards.get(opportunity.rate_card)
    amount = opportunity.amount
    if rate_card and amount and rate_card.currency != amount.currency:
        detail = (
            f"Rate card {rate_card.code} is in {rate_card.currency}, the opportunity in {amount.currency}."
        )
        faults.append(_fault("rate_card", "currency_mismatch", detail))
    if amount and amount.currency != entity.currency:
        detail = f"{entity.name} sells in {entity.currency}, the opportunity is in {amount.currency}."
        faults.append(_fault("amount", "currency_mismatch", detail))
    return faults


def _template_faults(opportunity: Opportunity, reference: Reference) -> list[Fault]:
    template = reference.templates.get(opportunity.delivery_template)
    rate_card = reference.rate_cards.get(opportunity.rate_card)
    if template is None:
        return []
    faults = []
    if (
        opportunity.service_line in reference.service_lines
        and template.service_line != opportunity.service_line
    ):
        ours, deal = template.service_line, opportunity.service_line
        detail = f"Delivery template {template.code} is for {ours}, the deal for {deal}."
        faults.append(_fault("delivery_template", "wrong_service_line", detail))
    start = opportunity.expected_start
    if rate_card is None or start is None or opportunity.region not in reference.regions:
        return faults
    unpriced = [
        r.role for r in template.roles if rate_at(rate_card, r.role, opportunity.region, start) is None
    ]
    if unpriced:
        where = f"on {start} in {opportunity.region}"
        detail = f"Rate card {rate_card.code} has no rate {where} for: {', '.join(unpriced)}."
        faults.append(_fault("rate_card", "no_rate", detail, OPERATIONS))
    return faults


def _terms(
    instance: str,
    opportunity: Opportunity,
    customer: Customer,
    entity: LegalEntity,
    tax: TaxProfile,
    revision: int,
) -> Terms:
    amount, model = opportunity.amount, opportunity.pricing_model
    start, end = opportunity.expected_start, opportunity.expected_end
    if amount is None or model is None or start is None or end is None:  # judged before; narrows the type
        raise ValueError("terms were asked for before the opportunity was judged")
    address = customer.billing_address
    return Terms(
        instance=instance,
        opportunity_id=opportunity.id,
        name=opportunity.name,
        account_id=opportunity.customer_id,
        account_name=customer.legal_name,
        revision=revision,
        selling_entity=entity.code,
        value=amount,
        pricing_model=model,
        service_line=opportunity.service_line,
        region=opportunity.region,
        template=opportunity.delivery_template,
        rate_card=opportunity.rate_card,
        payment_terms=opportunity.payment_terms,
        tax_profile=tax.code,
        start=start,
        end=end,
        lines=opportunity.lines,
        country=countries.code_or_text(address.country) if address is not None else "",
        credit_limit=customer.credit_limit,
    )
