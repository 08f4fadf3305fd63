"""system_apis: the profile of one NetSuite account: its address, its login and its names. Pure data."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from msgspec import Meta

from system_apis.connector.erp import CustomerFields, ErpFields, ErpProfile, number_faults
from system_apis.connector.profile import (
    Connection,
    OptionalFieldName,
    OptionalSecretRef,
    Polling,
    SecretRef,
    Table,
)


class NetSuiteConnection(Connection, frozen=True, kw_only=True):
    """The account's address and our login there.

    `account` is the account's id as NetSuite shows it (``123456`` or ``123456_SB1``); hosts are derived from
    it unless `base_url` and `app_url` are set. `certificate_id` is what the mapping page shows for the
    certificate.
    """

    account: str
    client_id: str
    certificate_id: str
    private_key: SecretRef
    algorithm: Literal["ES256", "PS256"] = "ES256"
    base_url: str = ""
    app_url: str = ""
    push_secret: OptionalSecretRef = ""


class NetSuiteChanges(Polling, frozen=True, kw_only=True):
    """How changes are noticed: a poll, and a signed push.

    The push is accepted where the connection has a `push_secret`; it may be `skew_seconds` old.
    """

    overlap_seconds: Annotated[float, Meta(ge=0)] = 600.0
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 500
    skew_seconds: Annotated[float, Meta(gt=0)] = 300.0


class NetSuiteCustomerFields(CustomerFields, frozen=True, kw_only=True):
    tax_number: OptionalFieldName = "vatRegNumber"


class NetSuiteFields(ErpFields, frozen=True, kw_only=True):
    customer: NetSuiteCustomerFields = NetSuiteCustomerFields()


class Schedule(Table, frozen=True, kw_only=True):
    """How the billing schedule of a pricing model is created: milestones, or recurrences on given dates."""

    type: str
    lines: Literal["milestone", "recurrence"]
    frequency: str = ""
    more: dict[str, Any] = {}


class Schedules(Table, frozen=True, kw_only=True):
    fixed_price: Schedule = Schedule(type="FBM", lines="milestone")
    retainer: Schedule = Schedule(type="STD", lines="recurrence", frequency="CUSTOM")
    time_and_materials: Schedule = Schedule(type="TM", lines="recurrence", frequency="CUSTOM")


class Statuses(Table, frozen=True, kw_only=True):
    """Which entity statuses are customers; every other one, also one that is added later, is a prospect."""

    customer: tuple[str, ...] = ("13", "15", "16")


class NetSuiteProfile(ErpProfile, frozen=True, kw_only=True):
    """`instances/<name>.toml` of a NetSuite account; its tables have NetSuite's internal ids.

    `time_zone` is the integration user's (Home > Set Preferences): SuiteQL answers in it. `currency` is that
    of the first subsidiary, and of all records without the feature Multiple Currencies. Currencies (ISO
    codes) and terms (names) that are not given are read from the account once.
    """

    connection: NetSuiteConnection
    changes: NetSuiteChanges = NetSuiteChanges()
    fields: NetSuiteFields = NetSuiteFields()
    statuses: Statuses = Statuses()
    billing_schedules: Schedules = Schedules()

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        yield from number_faults(self, "NetSuite")
