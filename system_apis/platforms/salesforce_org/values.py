"""system_apis: the values of a Salesforce org's own fields. Pure."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from system_apis.connector.values import utc


def plain(number: Decimal) -> Decimal:
    """The same number without an exponent: large amounts arrive as 1.8E7."""
    return Decimal(format(number, "f"))


def decimal_or_none(value: Any) -> Decimal | None:
    """A custom number field's value; JSON gives an int where there are no decimals."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return Decimal(value)


def texts(row: Mapping[str, Any]) -> Callable[[str], str]:
    """The text of a record's field by its name; Salesforce stores an empty text as null."""

    def read(field: str) -> str:
        value = row.get(field) if field else None
        return value if isinstance(value, str) else ""

    return read


def moment(value: Any) -> dt.datetime | None:
    """An instant of an event's payload: milliseconds of the epoch, with or without a logical type.

    Raises ValueError for one that is out of range.
    """
    if isinstance(value, int):
        try:
            return dt.datetime.fromtimestamp(value / 1000, dt.UTC)
        except (OverflowError, OSError):
            raise ValueError("the instant is out of range") from None
    return utc(value) if isinstance(value, dt.datetime | str) else None
