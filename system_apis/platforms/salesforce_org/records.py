"""system_apis: a Salesforce org's answers on the wire; money retains its digits, instants remain text."""

from typing import Annotated, Any, Generic, NamedTuple, TypeVar

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


class OrgRecordHead(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """What a record must have to be known as one."""

    id: str
    system_modstamp: str


class Stamped(msgspec.Struct, frozen=True, rename="pascal", kw_only=True):
    """What every record carries."""

    id: str
    system_modstamp: str
    last_modified_date: str


class ChangeRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    """A row of the poll."""

    created_date: str
    is_deleted: bool = False


class OrganizationRecord(msgspec.Struct, frozen=True, rename="pascal"):
    id: str
    name: str = ""
    organization_type: str = ""
    is_sandbox: bool = False
    time_zone_sid_key: str | None = None


class CurrencyTypeRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """A currency of an org that has several."""

    iso_code: str


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


class OrgLimit(msgspec.Struct, frozen=True):
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
    commit_timestamp: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]  # milliseconds, until 9999
    commit_number: int
    transaction_key: str = ""
    sequence_number: int = 0
    changed_fields: tuple[str, ...] = ()
