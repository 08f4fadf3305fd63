"""system_apis: Salesforce's answers on the wire; money retains its digits, instants remain text."""

import datetime as dt
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

T = TypeVar("T")
R = TypeVar("R", bound=msgspec.Struct)


class Page(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """A page of a query's rows; a child sub-select comes in the same shape."""

    records: tuple[T, ...]
    done: bool = True
    next_records_url: str | None = None


class Row(NamedTuple, Generic[R]):
    """A record: what every org has, and all of it by name (the org's custom fields too)."""

    record: R
    all: dict[str, Any]


class User(msgspec.Struct, frozen=True, rename="pascal"):
    name: str | None = None
    email: str | None = None


class LineItem(msgspec.Struct, frozen=True, rename="pascal"):
    id: str
    quantity: Decimal
    unit_price: Decimal | None = None
    total_price: Decimal | None = None
    name: str | None = None
    description: str | None = None
    product_code: str | None = None
    service_date: dt.date | None = None


class TeamMemberRecord(msgspec.Struct, frozen=True, rename="pascal"):
    team_member_role: str | None = None
    user: User | None = None


class Stamped(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """What every record carries."""

    id: str
    system_modstamp: str
    last_modified_date: str


class OpportunityRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    name: str
    stage_name: str
    is_won: bool
    is_closed: bool
    close_date: dt.date | None = None
    account_id: str | None = None
    amount: Decimal | None = None
    currency_iso_code: str | None = None
    probability: Decimal | None = None
    owner: User | None = None
    opportunity_line_items: Page[LineItem] | None = None
    opportunity_team_members: Page[TeamMemberRecord] | None = None


class AccountRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    name: str
    currency_iso_code: str | None = None
    parent_id: str | None = None
    industry: str | None = None
    website: str | None = None
    owner: User | None = None
    billing_street: str | None = None
    billing_city: str | None = None
    billing_state: str | None = None
    billing_state_code: str | None = None
    billing_postal_code: str | None = None
    billing_country: str | None = None
    billing_country_code: str | None = None


class MergedRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """A deleted account; `master_record_id` is the one that it was merged into."""

    master_record_id: str | None = None


class ContactRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    name: str
    email: str | None = None
    phone: str | None = None
    title: str | None = None


class ChangeRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    """A row of the poll; only opportunities have the stage's fields, only accounts are merged."""

    created_date: str
    is_deleted: bool = False
    is_won: bool = False
    is_closed: bool = False
    last_stage_change_date: str | None = None
    master_record_id: str | None = None


class StageRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """A row of the org's own table of stages."""

    master_label: str
    is_won: bool
    is_closed: bool
    api_name: str | None = None


class OrganizationRecord(msgspec.Struct, frozen=True, rename="pascal"):
    id: str
    name: str = ""
    organization_type: str = ""
    is_sandbox: bool = False


class PicklistValue(msgspec.Struct, frozen=True):
    value: str
    active: bool = True


class FieldDescribe(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    type: str
    custom: bool = False
    nillable: bool = True
    createable: bool = False
    updateable: bool = False
    defaulted_on_create: bool = False
    picklist_values: tuple[PicklistValue, ...] = ()


class ObjectDescribe(msgspec.Struct, frozen=True, rename="camel"):
    """What the logged-in user may see of an object: a hidden field is simply not in it."""

    name: str
    fields: tuple[FieldDescribe, ...]
    queryable: bool = False
    updateable: bool = False


class Limit(msgspec.Struct, frozen=True):
    max: int = msgspec.field(name="Max")
    remaining: int = msgspec.field(name="Remaining")


class ApiError(msgspec.Struct, frozen=True):
    """An error of the REST API; rows of a batch have statusCode where calls have errorCode."""

    error_code: str = msgspec.field(name="errorCode", default="")
    status_code: str = msgspec.field(name="statusCode", default="")
    message: str = ""
    fields: tuple[str, ...] | None = ()

    @property
    def code(self) -> str:
        return self.error_code or self.status_code


class SubAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of one sub-request of a composite call."""

    reference_id: str
    http_status_code: int
    body: Any = None


class CompositeAnswer(msgspec.Struct, frozen=True, rename="camel"):
    composite_response: tuple[SubAnswer, ...]


class ChangeEventHeader(msgspec.Struct, frozen=True, rename="camel"):
    """What changed, in a change event; `changed_fields` are bitmaps over the event's schema."""

    entity_name: str
    record_ids: tuple[str, ...]
    change_type: str
    change_origin: str
    commit_timestamp: int
    commit_number: int
    transaction_key: str = ""
    sequence_number: int = 0
    changed_fields: tuple[str, ...] = ()
