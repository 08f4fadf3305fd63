"""system_apis: the mapping of one Salesforce org's fields and picklist values to our codes. Pure data."""

from typing import Annotated, get_args

import msgspec
from msgspec import Meta

from contracts.canonical import countries
from contracts.canonical.customer import CustomerStatus
from contracts.canonical.opportunity import PricingModel

# A field's API name is inserted into SOQL without quotes, so its shape is checked here.
FieldName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]
OptionalFieldName = Annotated[str, Meta(pattern=r"^([A-Za-z][A-Za-z0-9_]{0,79})?$")]
Codes = dict[str, str]


class OpportunityFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which field of the org's Opportunity holds what; an empty name: this org does not hold it."""

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


class CustomerFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which field of the org's Account holds what; an empty name: this org does not hold it."""

    trading_name: OptionalFieldName = ""
    tax_number: OptionalFieldName = ""
    credit_limit: OptionalFieldName = ""
    segment: OptionalFieldName = ""
    selling_entity: OptionalFieldName = ""
    payment_terms: OptionalFieldName = ""
    status: OptionalFieldName = ""
    email: OptionalFieldName = ""


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    opportunity: OpportunityFields
    customer: CustomerFields = msgspec.field(default_factory=CustomerFields)


class Picklists(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The org's value → our code, by canonical field; an empty table: the org's values are our codes."""

    service_line: Codes = {}
    region: Codes = {}
    pricing_model: Codes = {}
    payment_terms: Codes = {}
    selling_entity: Codes = {}
    customer_status: Codes = {}
    project_status: Codes = {}
    country: Codes = {}

    def __post_init__(self) -> None:
        strays = [code for code in self.pricing_model.values() if code not in get_args(PricingModel)]
        strays += [code for code in self.customer_status.values() if code not in get_args(CustomerStatus)]
        if strays:
            raise ValueError(f"[picklists] leads to codes that we do not have: {', '.join(strays)}")
        for label, code in self.country.items():
            if not countries.is_code(code):
                raise ValueError(f"country.{label}: {code!r} is no country code of ISO 3166-1 (two letters)")


class OpportunityDefaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the firm means where a deal's field is empty."""

    service_line: str = ""
    region: str = ""
    pricing_model: str = ""
    delivery_template: str = ""
    rate_card: str = ""
    payment_terms: str = ""

    def __post_init__(self) -> None:
        if self.pricing_model not in ("", *get_args(PricingModel)):
            raise ValueError(f"pricing_model: {self.pricing_model!r} is no pricing model that we have")


class CustomerDefaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the firm means where an account's field is empty."""

    country: str = ""
    payment_terms: str = ""
    segment: str = ""
    selling_entity: str = ""

    def __post_init__(self) -> None:
        if self.country and not countries.is_code(self.country):
            raise ValueError(f"country: {self.country!r} is no country code of ISO 3166-1 (two letters)")


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    opportunity: OpportunityDefaults = msgspec.field(default_factory=OpportunityDefaults)
    customer: CustomerDefaults = msgspec.field(default_factory=CustomerDefaults)


class RequiredCustom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that the org demands with every save and we have no word for: what to put into empty ones."""

    opportunity: dict[FieldName, str | int | bool] = {}


class Maps(msgspec.Struct, frozen=True, kw_only=True):
    """All that the mapping reads of a profile.

    `currency` is that of an org without multiple currencies, which has no CurrencyIsoCode field at all.
    """

    fields: Fields
    instance: str = ""
    currency: str = ""
    picklists: Picklists = msgspec.field(default_factory=Picklists)
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    required_custom: RequiredCustom = msgspec.field(default_factory=RequiredCustom)
    opportunity_team: bool = False
    country_codes: bool = False
