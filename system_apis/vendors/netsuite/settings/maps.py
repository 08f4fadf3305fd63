"""system_apis: the mapping of one NetSuite account's ids and fields to our codes. Pure data."""

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

# A field's name is inserted into SuiteQL without quotes, so its shape is checked here.
FieldName = Annotated[str, Meta(pattern=r"^([A-Za-z][A-Za-z0-9_]{0,79})?$")]
RecordId = Annotated[str, Meta(pattern=r"^-?[0-9]+$")]
Ids = dict[str, RecordId]
Raw = dict[str, Any]


class CustomerFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which field of the customer record holds what; an empty name: this account does not hold it."""

    tax_number: FieldName = "vatRegNumber"
    trading_name: FieldName = ""


class ContractFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which field of the sales order holds what; an empty name: this account does not hold it."""

    opportunity_ref: FieldName = ""
    revision: FieldName = ""
    rate_card_id: FieldName = ""
    tax_profile: FieldName = ""


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    customer: CustomerFields = msgspec.field(default_factory=CustomerFields)
    contract: ContractFields = msgspec.field(default_factory=ContractFields)


class CustomValue(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}
):
    """What a field that this account insists on is given.

    Either a constant `value`, or the canonical field named by `from` (dots lead inwards), read through `map`
    where there is one. `kind` is how NetSuite wants it.
    """

    value: str = ""
    source: str = ""
    map: dict[str, str] = {}
    kind: Literal["text", "number", "boolean", "reference"] = "text"

    def __post_init__(self) -> None:
        if bool(self.value) == bool(self.source):
            raise ValueError("a required custom field has either a value or a from")


class RequiredCustom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that the account insists on, by record: the vendor's field name and what it gets."""

    customer: dict[str, CustomValue] = {}
    contract: dict[str, CustomValue] = {}
    contract_line: dict[str, CustomValue] = {}


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every new record of a kind is given, in NetSuite's own words."""

    customer: Raw = {}
    contract: Raw = {}
    contract_line: Raw = {}


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the billing schedule of a pricing model is created: milestones, or recurrences on given dates."""

    type: str
    lines: Literal["milestone", "recurrence"]
    frequency: str = ""
    more: Raw = {}


class Schedules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    fixed_price: Schedule = Schedule(type="FBM", lines="milestone")
    retainer: Schedule = Schedule(type="STD", lines="recurrence", frequency="CUSTOM")
    time_and_materials: Schedule = Schedule(type="TM", lines="recurrence", frequency="CUSTOM")


class Statuses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entity statuses are customers; every other one, also one that is added later, is a prospect."""

    customer: tuple[str, ...] = ("13", "15", "16")


class Maps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the mapping reads: our codes → NetSuite's internal ids, and the fields.

    `zone` is that in which SuiteQL answers the integration user.
    """

    instance: str
    ui_url: str
    entities: Ids
    items: Ids
    tax_codes: Ids
    currencies: Ids
    terms: Ids
    fields: Fields
    statuses: Statuses
    defaults: Defaults
    billing_schedules: Schedules
    required_custom: RequiredCustom
    zone: dt.tzinfo = dt.UTC
