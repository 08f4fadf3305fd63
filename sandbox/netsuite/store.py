"""The NetSuite stand-in's shelves: finding records by either id, giving new ids, naming records."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.core import Account
from sandbox.netsuite.problems import Refusal, user_error, wrong_transaction
from sandbox.netsuite.schema import TYPES, UNIONS, RecordType

Record = dict[str, Any]
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]+")
# Internal ids are counted per family, as there: a customer and a project never share one.
FIRST_ID = {"entity": 101, "transaction": 1001, "item": 31, "list": 1}


def table(account: Account, kind: RecordType) -> dict[str, Record]:
    return account.tables.setdefault(kind.name, {})


def find(account: Account, kind: RecordType, ident: str) -> Record | None:
    if not ident.startswith("eid:"):
        return table(account, kind).get(ident)
    wanted = ident[4:]
    return next((r for r in table(account, kind).values() if r.get("externalId") == wanted), None)


def get(account: Account, kind: RecordType, ident: str) -> Record:
    """Raises: Refusal, which for an unknown transaction is a 400, as on the real wire."""
    record = find(account, kind, ident)
    if record is None:
        raise wrong_transaction() if kind.is_transaction and not ident.startswith("eid:") else Refusal(404)
    return record


def new_id(account: Account, kind: RecordType) -> str:
    counter = kind.name if kind.family == "list" else kind.family
    taken = [table(account, each) for each in TYPES.values() if each.family == kind.family]
    shelves = [table(account, kind)] if kind.family == "list" else taken
    while True:
        ident = str(FIRST_ID[kind.family] - 1 + account.next_number(f"id {counter}"))
        if not any(ident in shelf for shelf in shelves):
            return ident


def check_external_id(account: Account, kind: RecordType, value: str, own_id: str = "") -> None:
    """Raises: Refusal for a bad spelling and for one that another record of the type has."""
    if not EXTERNAL_ID.fullmatch(value):
        raise user_error("External IDs may have letters, digits, underscores and hyphens only.")
    other = find(account, kind, f"eid:{value}")
    if other and other["id"] != own_id:
        raise user_error("This record already exists.")


def targets(target: str) -> list[RecordType]:
    """The record types that a reference to `target` may mean."""
    return [TYPES[name] for name in UNIONS.get(target, (target,))]


def look_up(account: Account, target: str, ident: str) -> tuple[RecordType, Record] | None:
    for kind in targets(target):
        record = find(account, kind, ident)
        if record:
            return kind, record
    return None


def named(account: Account, target: str, text: str) -> Record | None:
    """The record that shows this text, as `refName` finds it."""
    for kind in targets(target):
        for record in table(account, kind).values():
            if text in {
                display(kind, record),
                record.get("name"),
                record.get("companyName"),
                record.get("entityId"),
            }:
                return record
    return None


def display(kind: RecordType, record: Record) -> str:
    """The text by which a record shows in a field that points to it."""
    if kind.is_transaction:
        label = "Sales Order" if kind.name == "salesOrder" else "Invoice"
        return f"{label} #{record.get('tranId', '')}"
    if kind.family == "entity":
        name = record.get("companyName") or " ".join(
            part for part in (record.get("firstName"), record.get("lastName")) if part
        )
        number = record.get("entityId", "")
        return number if number == name or not name else f"{number} {name}"
    return str(record.get("name") or record.get("itemId") or record["id"])


def stamp(account: Account) -> str:
    """Now, as NetSuite writes an instant."""
    now = account.clock.now().astimezone(UTC)
    if account.settings.get("modified_resolution") == "minute":
        now = now.replace(second=0)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def wall_time(account: Account, moment: datetime) -> datetime:
    """What the clock on the integration user's wall showed: SuiteQL knows no other time, and says no zone."""
    zone = ZoneInfo(account.settings.get("time_zone", "America/Los_Angeles"))
    return moment.astimezone(zone).replace(tzinfo=UTC)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def references_to(account: Account, kind: RecordType, ident: str) -> Iterator[str]:
    """The types of records that point to this one (from body fields and lines)."""
    for other in TYPES.values():
        fields = [f for f in other.fields.values() if f.kind == "ref" and kind in targets(f.target)]
        for record in table(account, other).values():
            if any((record.get(f.name) or {}).get("id") == ident for f in fields):
                yield other.name
