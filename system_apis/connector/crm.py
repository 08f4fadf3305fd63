"""system_apis: what the profiles and mappings of all CRMs share: fields, picklists, defaults, terms. Pure."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypedDict, cast, get_args

from contracts.canonical import countries
from contracts.canonical.customer import CustomerStatus
from contracts.canonical.opportunity import PricingModel, ProjectLink
from system_apis.connector.codes import Codes, ambiguous, code_of, strays, written
from system_apis.connector.custom_values import CustomValues
from system_apis.connector.profile import FieldName, Names, OptionalFieldName, Profile, Table

Read = Callable[[str], str]
"""The text of a record's field by its name; empty where it has none."""

CODED = ("service_line", "region", "pricing_model", "payment_terms")
_AS_IT_IS = ("delivery_template", "rate_card")
# What the profile calls by its part, and the nouns by the whole.
_WHOLE = {
    "tax_number": "tax_registrations",
    "project_id": "project_ref",
    "project_url": "project_ref",
    "project_status": "project_ref",
}


class OpportunityFields(Names, frozen=True, kw_only=True):
    project_id: FieldName
    project_url: OptionalFieldName = ""
    project_status: OptionalFieldName = ""
    service_line: OptionalFieldName = ""
    region: OptionalFieldName = ""
    pricing_model: OptionalFieldName = ""
    delivery_template: OptionalFieldName = ""
    rate_card: OptionalFieldName = ""
    payment_terms: OptionalFieldName = ""
    expected_start: OptionalFieldName = ""
    expected_end: OptionalFieldName = ""


class CustomerFields(Names, frozen=True, kw_only=True):
    trading_name: OptionalFieldName = ""
    tax_number: OptionalFieldName = ""
    credit_limit: OptionalFieldName = ""
    segment: OptionalFieldName = ""
    selling_entity: OptionalFieldName = ""
    payment_terms: OptionalFieldName = ""
    status: OptionalFieldName = ""
    email: OptionalFieldName = ""


class CrmFields(Table, frozen=True, kw_only=True):
    opportunity: OpportunityFields
    customer: CustomerFields = CustomerFields()


class Picklists(Table, frozen=True, kw_only=True):
    """By canonical field: the account's value → our code."""

    service_line: Codes = {}
    region: Codes = {}
    pricing_model: Codes = {}
    payment_terms: Codes = {}
    selling_entity: Codes = {}
    customer_status: Codes = {}
    project_status: Codes = {}
    country: Codes = {}

    def faults(self) -> Iterator[str]:
        yield from strays(self.pricing_model, "picklists.pricing_model", get_args(PricingModel))
        yield from strays(self.customer_status, "picklists.customer_status", get_args(CustomerStatus))
        yield from strays(self.country, "picklists.country", countries.is_code)
        yield from ambiguous(self.project_status, "picklists.project_status")


class OpportunityDefaults(Table, frozen=True, kw_only=True):
    """What the firm means where a deal's field is empty."""

    service_line: str = ""
    region: str = ""
    pricing_model: str = ""
    delivery_template: str = ""
    rate_card: str = ""
    payment_terms: str = ""


class CustomerDefaults(Table, frozen=True, kw_only=True):
    """What the firm means where an account's field is empty."""

    country: str = ""
    payment_terms: str = ""
    segment: str = ""
    selling_entity: str = ""


class CrmDefaults(Table, frozen=True, kw_only=True):
    opportunity: OpportunityDefaults = OpportunityDefaults()
    customer: CustomerDefaults = CustomerDefaults()


class CrmRequired(Table, frozen=True, kw_only=True):
    """Fields that the account demands with every save and we have no word for: what empty ones are given."""

    opportunity: CustomValues = {}


class CrmProfile(Profile, frozen=True, kw_only=True):
    """A CRM's profile."""

    fields: CrmFields
    picklists: Picklists = Picklists()
    defaults: CrmDefaults = CrmDefaults()
    required_custom: CrmRequired = CrmRequired()

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        yield from self.picklists.faults()
        country, model = self.defaults.customer.country, self.defaults.opportunity.pricing_model
        if country and not countries.is_code(country):
            yield f"defaults.customer.country: {country!r} is no country code of ISO 3166-1 (two letters)"
        if model and model not in get_args(PricingModel):
            yield f"defaults.opportunity.pricing_model: {model!r} is no pricing model that we have"


def terms(read: Read, profile: CrmProfile) -> tuple[dict[str, Any], dict[str, str]]:
    """A deal's terms by canonical name, and the vendor's values of those that have no code of ours."""
    fields, defaults = profile.fields.opportunity, profile.defaults.opportunity
    terms: dict[str, Any] = {}
    unmapped: dict[str, str] = {}
    for name in (*_AS_IT_IS, *CODED):
        text = read(getattr(fields, name))
        codes = getattr(profile.picklists, name) if name in CODED else {}
        code = code_of(codes, text) if text else getattr(defaults, name)
        if name == "pricing_model" and code not in get_args(PricingModel):
            code = ""
        if text and not code:
            unmapped[name] = text
        elif code:
            terms[name] = code
    for name in ("expected_start", "expected_end"):
        text = read(getattr(fields, name))
        try:
            terms[name] = dt.date.fromisoformat(text) if text else None
        except ValueError:
            unmapped[name] = text
    return terms, unmapped


def link_changes(read: Read, link: ProjectLink, profile: CrmProfile) -> dict[str, str]:
    """The fields in which a deal does not show the link yet; an empty text clears.

    Raises VendorRejected for a status that the account has no value for.
    """
    fields, codes = profile.fields.opportunity, profile.picklists.project_status
    place, table = "status", "picklists.project_status"
    coded = bool(fields.project_status and link.status)
    status = written(codes, link.status, place, table, profile.name) if coded else ""
    wanted = {
        fields.project_id: link.project_id,
        fields.project_url: link.project_url,
        fields.project_status: status,
    }
    return {field: value for field, value in wanted.items() if field and read(field) != value}


class CustomerTerms(TypedDict):
    """The fields of a customer that the CRM proposes for billing."""

    trading_name: str
    selling_entity: str
    payment_terms: str
    segment: str
    email: str


def customer_terms(read: Read, profile: CrmProfile) -> CustomerTerms:
    """What the CRM proposes for billing; a value without a code as it was typed.

    A default is for what is empty, not for what is unknown.
    """
    fields, codes, defaults = profile.fields.customer, profile.picklists, profile.defaults.customer
    entity, conditions = read(fields.selling_entity), read(fields.payment_terms)
    return {
        "trading_name": read(fields.trading_name),
        "selling_entity": code_of(codes.selling_entity, entity) or entity or defaults.selling_entity,
        "payment_terms": code_of(codes.payment_terms, conditions) or conditions or defaults.payment_terms,
        "segment": read(fields.segment) or defaults.segment,
        "email": read(fields.email),
    }


def customer_status(read: Read, profile: CrmProfile) -> CustomerStatus:
    """An account without a known status is a prospect: only the ERP approves."""
    code = code_of(profile.picklists.customer_status, read(profile.fields.customer.status))
    return cast("CustomerStatus", code) if code in get_args(CustomerStatus) else "prospect"


def country_code(typed: Iterable[str | None], profile: CrmProfile) -> str:
    """The country's ISO code; an unknown text remains as it was typed, so that a person can correct it."""
    texts = [text for text in typed if text]
    codes = profile.picklists.country
    known = ((code_of(codes, text) if codes else "") or countries.code_of(text) for text in texts)
    return next(filter(None, known), texts[-1] if texts else "") or profile.defaults.customer.country


def canonical_names(names: Iterable[str], standard: dict[str, str], fields: Names) -> tuple[str, ...]:
    """Our names of the account's changed fields; a field that we do not read has none."""
    known = standard | {field: _WHOLE.get(name, name) for name, field in fields.named().items()}
    # A compound field names its part, as in BillingAddress.City.
    ours = (known.get(name) or known.get(name.partition(".")[0]) for name in names)
    return tuple(dict.fromkeys(name for name in ours if name))
