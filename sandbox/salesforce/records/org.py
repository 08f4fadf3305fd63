"""The Salesforce stand-in's org: one account with its metadata, tables, ids and time stamps."""

import asyncio
import weakref
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.core import Account
from sandbox.salesforce.ids import ALPHABET, checksum, full_id, make_id
from sandbox.salesforce.records.values import show_datetime
from sandbox.salesforce.schema.changes import apply_change
from sandbox.salesforce.schema.fields import SObject
from sandbox.salesforce.schema.northbeam import CUSTOM_FIELDS
from sandbox.salesforce.schema.standard import standard_objects

Record = dict[str, Any]
CHANGE_CAPTURED = ["Account", "Contact", "Opportunity", "OpportunityLineItem", "Contract"]


class Org:
    """What the vendor's code asks an account; stored beside the account as long as it lives."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.waiting: set[asyncio.Event] = set()
        self.cursors: dict[str, Any] = {}
        self._objects: dict[str, SObject] = {}
        self._changes_seen = -1

    @cached_property
    def org_id(self) -> str:
        digits = int(self.account.secret("org"), 16)
        short = "00D" + "".join(ALPHABET[digits // 62**place % 62] for place in range(12))
        return short + checksum(short)

    @property
    def domain(self) -> str:
        """The org's My Domain host."""
        name = "northbeam" if self.account.name == "story" else f"northbeam-{self.account.name.lower()}"
        return f"{name}.my.salesforce.com"

    @property
    def objects(self) -> dict[str, SObject]:
        """The org's metadata as of now: the vendor's objects, the firm's fields, and every later change."""
        changes = self.account.extra.get("schema", [])
        if len(changes) != self._changes_seen:
            self._objects = standard_objects()
            for name, fields in CUSTOM_FIELDS.items():
                own = self._objects[name].fields | {made.name: made for made in fields}
                self._objects[name] = self._objects[name].with_fields(own)
            for change in changes:
                apply_change(self._objects, change)
            self._changes_seen = len(changes)
        return self._objects

    def object(self, name: str) -> SObject | None:
        """An object by its name, whose case does not matter."""
        exact = self.objects.get(name)
        return exact or next((o for n, o in self.objects.items() if n.lower() == name.lower()), None)

    def object_of_id(self, record_id: str) -> SObject | None:
        return next((o for o in self.objects.values() if o.prefix == record_id[:3]), None)

    def table(self, name: str) -> dict[str, Record]:
        return self.account.tables.setdefault(name, {})

    def get(self, name: str, record_id: Any, *, deleted: bool = False) -> Record | None:
        """The record of an id of 15 or 18 characters; a deleted one only where asked for."""
        long = full_id(record_id) if isinstance(record_id, str) else None
        record = self.table(name).get(long) if long else None
        return record if record and (deleted or not record["IsDeleted"]) else None

    def live(self, name: str) -> list[Record]:
        return [record for record in self.table(name).values() if not record["IsDeleted"]]

    def matching(self, name: str, field: str, value: Any) -> list[Record]:
        """Live records with this value; text is compared as the vendor's unique fields do, without case."""
        wanted = str(value).lower()
        return [r for r in self.live(name) if r.get(field) is not None and str(r[field]).lower() == wanted]

    def new_id(self, made: SObject) -> str:
        number = self.account.next_number(f"id {made.prefix}")
        instance = int(self.account.secret("instance")[:12], 16)
        return make_id(made.prefix, instance, number * 7 + self.account.seed * 1_000_000)

    def now(self) -> datetime:
        return self.account.clock.now().astimezone(UTC)

    @property
    def zone(self) -> ZoneInfo:
        """Of the integration user: date words such as TODAY are days there."""
        return ZoneInfo(self.integration_user()["TimeZoneSidKey"])

    def today(self) -> date:
        return self.now().astimezone(self.zone).date()

    def stamp(self) -> str:
        """The time for a record's system fields: whole seconds, never earlier than the stamp before."""
        now = show_datetime(self.now().replace(microsecond=0))
        latest = max(now, self.account.extra.get("latest_stamp", ""))
        self.account.extra["latest_stamp"] = latest
        return latest

    @property
    def captured(self) -> list[str]:
        """The objects whose changes are published; the vendor lets five be chosen."""
        return self.account.settings.get("change_data_capture", CHANGE_CAPTURED)

    def integration_user(self) -> Record:
        return self.user("integration@northbeam")

    def user(self, start_of_name: str) -> Record:
        return next(u for u in self.live("User") if u["Username"].startswith(start_of_name))


_ORGS: weakref.WeakKeyDictionary[Account, Org] = weakref.WeakKeyDictionary()


def org_of(account: Account) -> Org:
    if account not in _ORGS:
        _ORGS[account] = Org(account)
    return _ORGS[account]
