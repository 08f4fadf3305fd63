"""system_apis: converts the values of Salesforce's records: instants, money, versions. Pure."""

import datetime as dt
import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from contracts.canonical import currencies
from contracts.canonical.values import Money
from system_apis.vendors.salesforce.records import Stamped


def instant(text: str) -> dt.datetime:
    """An instant in UTC from `2026-05-01T07:25:37.000+0000` (no colon in the offset) or with a `Z`."""
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def plain(number: Decimal) -> Decimal:
    """The same number without an exponent: large amounts arrive as 1.8E7."""
    return Decimal(format(number, "f"))


def money(number: Decimal | None, currency: str) -> Money | None:
    """An amount with its currency's decimals, so that one deal always reads the same; None where none is."""
    return currencies.shown(Money(number, currency)) if number is not None and currency else None


def decimal_or_none(value: Any) -> Decimal | None:
    """A custom number field's value; JSON gives an int where there are no decimals."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def date_or_none(value: Any) -> dt.date | None:
    """A custom date field's value."""
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def text(value: Any) -> str:
    """A custom text field's value; Salesforce stores an empty text as null."""
    return value if isinstance(value, str) else ""


def version(record: Stamped, noun: msgspec.Struct) -> str:
    """The record's own stamp and a hash of what we read, as stamps count whole seconds only."""
    content = msgspec.json.encode(noun, order="deterministic")
    return f"{instant(record.system_modstamp):%Y%m%d%H%M%S%f}-{hashlib.sha256(content).hexdigest()[:12]}"
