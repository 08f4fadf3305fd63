"""The Salesforce stand-in's values: what a field accepts, how it is stored, and how the wire shows it."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.salesforce.errors import bad_request, not_deserialized
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.schema.fields import NUMERIC, TEXTUAL, Field

CURRENCIES = {"GBP", "USD", "EUR", "JPY", "KWD"}
# ISO 8601 has more forms than the vendor takes; a moment has a zone.
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def show_datetime(at: datetime) -> str:
    """The vendor's form: UTC, milliseconds, an offset without a colon."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"


def read_datetime(text: str) -> datetime:
    """Raises: ValueError."""
    at = datetime.fromisoformat(text.replace(" ", "+"))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def accept(made: Field, value: Any) -> Any:
    """The value as the org keeps it. Raises: Refused."""
    if value is None:
        return None
    if made.type in TEXTUAL:
        return _text(made, value)
    if made.type in NUMERIC:
        return _number(made, value)
    if made.type == "boolean":
        return _boolean(value)
    return _moment(made, value)


def _text(made: Field, value: Any) -> str | None:
    if isinstance(value, dict | list):
        raise not_deserialized("string", value)
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = str(value).strip()
    if not text:
        return None
    if made.type == "reference":
        long = full_id(text)
        if long is None:
            raise bad_request(
                "MALFORMED_ID", f"{made.label}: id value of incorrect type: {text}", [made.name]
            )
        return long
    if made.name == "CurrencyIsoCode" and text not in CURRENCIES:
        raise bad_request("INVALID_CURRENCY_ISO", f"invalid currency iso code: {text}", [made.name])
    if made.restricted and text not in made.values:
        raise bad_request(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{made.label}: bad value for restricted picklist field: {text}",
            [made.name],
        )
    if made.length and len(text) > made.length:
        shown = f"{made.label}: data value too large: {text[:255]} (max length={made.length})"
        raise bad_request("STRING_TOO_LONG", shown, [made.name])
    if made.type == "email" and not EMAIL.fullmatch(text):
        raise bad_request(
            "INVALID_EMAIL_ADDRESS", f"{made.label}: invalid email address: {text}", [made.name]
        )
    return text


def _number(made: Field, value: Any) -> Decimal | int:
    try:
        exact = Decimal(str(value)) if not isinstance(value, bool | dict | list) else Decimal("NaN")
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite():
        raise not_deserialized("int" if made.type == "int" else made.type, value)
    whole = 9 if made.type == "int" else made.precision - made.scale
    if abs(exact) >= Decimal(10) ** whole:
        message = f"{made.label}: value outside of valid range on numeric field: {value}"
        raise bad_request("NUMBER_OUTSIDE_VALID_RANGE", message, [made.name])
    if made.type == "int":
        if exact != exact.to_integral_value():
            raise not_deserialized("int", value)
        return int(exact)
    return exact.quantize(Decimal(1).scaleb(-made.scale))


def _boolean(value: Any) -> bool:
    known = {"true": True, "false": False, "1": True, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in known:
        raise not_deserialized("boolean", value)
    return known[str(value).lower()]


def _moment(made: Field, value: Any) -> str:
    text = str(value)
    try:
        if made.type == "date" and DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
        at = read_datetime(text if MOMENT.fullmatch(text) else "")
        return at.date().isoformat() if made.type == "date" else show_datetime(at)
    except ValueError as problem:
        raise not_deserialized(made.type, value) from problem


def shown(value: Any) -> Any:
    """A stored value as JSON shows it: decimals without idle zeros, but never looking like a whole number."""
    if not isinstance(value, Decimal):
        return value
    if value == value.to_integral_value():
        exponent = value.as_tuple().exponent
        return int(value) if exponent == 0 else value.quantize(Decimal("0.1"))
    return value.normalize()
