"""system_apis: conversions that every vendor's mapping needs: money, instants, versions, ids. Pure."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

import msgspec

from contracts.canonical import currencies, matching
from contracts.canonical.values import Address, Money, Ref, TaxRegistration
from contracts.problems import NotFound

N = TypeVar("N", bound=msgspec.Struct)

_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,12})?")


def money(number: Decimal | None, currency: str | None) -> Money | None:
    """An amount with its currency's minor units, so that it always reads the same; None where none is."""
    return currencies.shown(Money(number, currency)) if number is not None and currency else None


def money_of_subunits(number: int | None, currency: str | None, base_unit: int) -> Money | None:
    """An amount that a vendor states in cents, or what the currency has for them."""
    return None if number is None else money(Decimal(number) / base_unit, currency)


def subunits(amount: Decimal, base_unit: int) -> int:
    """An amount in cents, or what the currency has for them."""
    return int((amount * base_unit).quantize(Decimal(1), ROUND_HALF_EVEN))


def main_units(amount: Decimal) -> int:
    """An amount for a field that has no decimals."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def utc(instant: dt.datetime | str) -> dt.datetime:
    """An instant in UTC, also from its text (`2026-05-01T07:25:37.000+0000`); raises ValueError."""
    instant = dt.datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    try:
        return instant.astimezone(dt.UTC)
    except OverflowError:  # within hours of the years 1 and 9999
        raise ValueError("the instant is out of range in UTC") from None


def whole_number(text: str, *, digits: int = 18) -> int | None:
    """A number of ASCII digits without a sign; None for any other text, and for one of more digits.

    `str.isdigit` is true of `²`, which `int` refuses, and `int` refuses thousands of digits.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def finite(text: str) -> Decimal:
    """A decimal number as people write it; raises ValueError for any other text, such as `NaN` or `1e999`."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("no decimal number")
    return Decimal(text)


def versioned(noun: N, stamp: dt.datetime) -> N:
    """The noun with its version: the record's own stamp and a hash of what we read.

    Stamps count whole seconds only, so the stamp alone is not sufficient.
    """
    return msgspec.structs.replace(noun, version=f"{utc(stamp):%Y%m%d%H%M%S%f}-{content_of(noun)}")


def content_of(record: Any) -> str:
    """A short hash of what we read of a record, the same for the same content."""
    content = msgspec.json.encode(record, order="deterministic")
    return hashlib.sha256(content).hexdigest()[:12]


def second_of(instant: dt.datetime) -> str:
    """An instant in whole seconds, where a vendor has no version but the last change."""
    return utc(instant).strftime("%Y-%m-%dT%H:%M:%SZ")


def refs(instance: str, noun: str, ident: str, url: str, key: str) -> tuple[Ref, ...]:
    """The record itself with its page, and the key under which it was created, where it has one."""
    own = Ref(instance, noun, ident, url)
    return (own, Ref(instance, "external_id", key)) if key else (own,)


def tax_registrations(number: str, address: Address | None) -> tuple[TaxRegistration, ...]:
    """A number without its country: under the one that its letters name, else that of the billing address."""
    country, _ = matching.tax_number(number)
    return (TaxRegistration(country or (address.country if address else ""), number),) if number else ()


def whole_number_ids(vendor: str) -> Callable[[str, str], str]:
    """The one spelling of a whole number that is read with leading zeros, too; NotFound for what is none."""

    def canonical(kind: str, value: str) -> str:
        number = value.lstrip("0")
        if not number or whole_number(number) is None:
            raise NotFound(
                f"“{value[:40]}” is not the id of any {kind} in {vendor}: its ids are whole numbers."
            )
        return number

    return canonical
