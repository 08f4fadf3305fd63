"""system_apis: NetSuite's own shapes, as the wire has them. Fields without a value are left out there."""

import datetime as dt
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")
Raw = dict[str, Any]
Row = dict[str, Any]


class Items(msgspec.Struct, Generic[T], frozen=True):
    """A list of a record's lines."""

    items: tuple[T, ...] = ()


class NetSuiteReference(msgspec.Struct, frozen=True, rename="camel"):
    """A pointer to another record, or a value of a fixed list."""

    id: str
    ref_name: str = ""


class NetSuiteAddress(msgspec.Struct, frozen=True, rename="camel"):
    addr1: str = ""
    addr2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: NetSuiteReference | None = None


class NetSuiteAddressLine(msgspec.Struct, frozen=True, rename="camel"):
    id: int
    default_billing: bool = False
    address_book_address: NetSuiteAddress | None = None


class NetSuiteHead(msgspec.Struct, frozen=True, rename="camel"):
    """What every record has, however odd the rest of it is."""

    last_modified_date: dt.datetime


class NetSuiteCustomer(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    last_modified_date: dt.datetime
    external_id: str = ""
    company_name: str = ""
    entity_id: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    url: str = ""
    subsidiary: NetSuiteReference | None = None
    currency: NetSuiteReference | None = None
    terms: NetSuiteReference | None = None
    parent: NetSuiteReference | None = None
    entity_status: NetSuiteReference | None = None
    credit_hold_override: NetSuiteReference | None = None
    credit_limit: Decimal | None = None
    is_inactive: bool = False
    address_book: Items[NetSuiteAddressLine] | None = None


class NetSuiteOrderLine(msgspec.Struct, frozen=True, rename="camel"):
    line: int
    is_closed: bool = False


class NetSuiteOrder(msgspec.Struct, frozen=True, rename="camel"):
    """A sales order: our contract."""

    id: str
    last_modified_date: dt.datetime
    entity: NetSuiteReference
    status: NetSuiteReference
    subtotal: Decimal
    currency: NetSuiteReference | None = None
    external_id: str = ""
    tran_id: str = ""
    memo: str = ""
    subsidiary: NetSuiteReference | None = None
    terms: NetSuiteReference | None = None
    billing_schedule: NetSuiteReference | None = None
    start_date: dt.date | None = None
    end_date: dt.date | None = None
    item: Items[NetSuiteOrderLine] = Items()


class NetSuiteOrderRow(NetSuiteOrder, frozen=True, kw_only=True, rename="camel"):
    """A sales order as the poll reads it: the sum of its lines is in rows of their own."""

    subtotal: Decimal = Decimal(0)


class NetSuiteMilestone(msgspec.Struct, frozen=True, rename="camel"):
    milestone_amount: Decimal
    milestone_date: dt.date
    comments: str = ""


class NetSuiteRecurrence(msgspec.Struct, frozen=True, rename="camel"):
    amount: Decimal  # a text on this wire
    recurrence_date: dt.date | None = None


class NetSuiteSchedule(msgspec.Struct, frozen=True, rename="camel"):
    schedule_type: NetSuiteReference
    name: str = ""
    milestone: Items[NetSuiteMilestone] = Items()
    recurrence: Items[NetSuiteRecurrence] = Items()


class NetSuiteRows(msgspec.Struct, frozen=True, rename="camel"):
    """A page of SuiteQL rows: every value is a text, and a null column is absent."""

    items: list[Row]


class NetSuiteErrorDetail(msgspec.Struct, frozen=True):
    detail: str = ""
    code: str = msgspec.field(default="", name="o:errorCode")
    path: str = msgspec.field(default="", name="o:errorPath")


class NetSuiteError(msgspec.Struct, frozen=True):
    details: tuple[NetSuiteErrorDetail, ...] = msgspec.field(default=(), name="o:errorDetails")


class NetSuiteGovernance(msgspec.Struct, frozen=True, rename="camel"):
    account_concurrency_limit: int
    integration_concurrency_limit: int = 0


class NetSuitePush(msgspec.Struct, frozen=True, rename="camel"):
    """What our User Event script posts after a save: a thin event, the record is to be read."""

    event_id: str
    record_type: str
    internal_id: str
    last_modified: dt.datetime
