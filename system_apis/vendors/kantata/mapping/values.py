"""system_apis: the small values of Kantata OX's records in our terms: money, hours, custom fields. Pure."""

import datetime as dt
import hashlib
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import msgspec

from contracts.canonical import currencies
from contracts.canonical.values import Money
from contracts.problems import Fault, VendorRejected
from system_apis.vendors.kantata.records import Catalogue, CustomField, CustomFieldValue

_CENT = Decimal("0.01")
_MINUTES = 60


def main_units(amount: Decimal) -> int:
    """A budget as the vendor accepts it: whole units, because its `price` has no decimals."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def subunits(amount: Decimal, base_unit: int) -> int:
    """An amount in cents, or what the currency has for them."""
    return int((amount * base_unit).quantize(Decimal(1), ROUND_HALF_EVEN))


def money(in_cents: int | None, currency: str | None, base_unit: int) -> Money | None:
    """An amount with its currency's decimals, so that one project always reads the same; None where none."""
    if in_cents is None or not currency:
        return None
    return currencies.shown(Money(Decimal(in_cents) / base_unit, currency))


def minutes(hours: Decimal) -> int:
    return int((hours * _MINUTES).quantize(Decimal(1), ROUND_HALF_UP))


def hours(in_minutes: int | None) -> Decimal | None:
    if in_minutes is None:
        return None
    hours = Decimal(in_minutes) / _MINUTES
    return hours.quantize(_CENT)


def utc(instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(dt.UTC)


def version(updated_at: dt.datetime, noun: msgspec.Struct) -> str:
    """The record's own stamp and a hash of what we read, as stamps count whole seconds only."""
    content = msgspec.json.encode(noun, order="deterministic")
    return f"{utc(updated_at):%Y%m%d%H%M%S}-{hashlib.sha256(content).hexdigest()[:12]}"


def label_of(code: str, labels: dict[str, str]) -> str:
    """The account's label of our code; with an empty table the labels are the codes."""
    if not labels:
        return code
    return next((label for label, known in labels.items() if known == code), "")


def code_of(label: str, labels: dict[str, str]) -> str:
    """Our code of the account's label; empty where it has none."""
    return labels.get(label, "") if labels else label


def field_of(catalogue: Catalogue, subject: str, name: str, instance: str) -> CustomField:
    """The account's custom field of a name; raises VendorRejected where there is none."""
    field = catalogue.fields.get((subject, name))
    if field is None:
        raise missing(
            instance,
            f"the account has no custom field {name!r} for {subject}",
            f"/custom_fields/{name}",
            name,
        )
    return field


def to_wire(catalogue: Catalogue, field: CustomField, text: str, instance: str) -> Any:
    """A text as the field's type has it; raises VendorRejected where it does not fit."""
    if field.value_type in ("single", "multi"):
        choice = catalogue.choices.get(field.id, {}).get(text)
        if choice is None:
            raise missing(
                instance,
                f"the custom field {field.name!r} has no choice {text!r}",
                f"/custom_fields/{field.name}",
                field.name,
            )
        return [choice]
    if field.value_type == "number":
        try:
            return Decimal(text)
        except InvalidOperation:
            raise missing(
                instance,
                f"the custom field {field.name!r} accepts numbers, not {text!r}",
                f"/custom_fields/{field.name}",
                field.name,
            ) from None
    return text


def from_wire(catalogue: Catalogue, field: CustomField, value: CustomFieldValue | None) -> str:
    """A custom field's value as a text: the label of a choice, empty where nothing is set."""
    if value is None or value.value is None:
        return ""
    if field.value_type in ("single", "multi"):
        chosen = {str(each) for each in value.value} if isinstance(value.value, list) else {str(value.value)}
        labels = catalogue.choices.get(field.id, {})
        return next((label for label, choice in labels.items() if choice in chosen), "")
    return str(value.value)


def missing(instance: str, sentence: str, pointer: str, field: str) -> VendorRejected:
    """What the account or the profile lacks; an administrator adds it."""
    return VendorRejected(
        f"{instance}: {sentence}",
        instance=instance,
        errors=(
            Fault(pointer=pointer, detail=sentence, code="missing", field=field, fixed_by="administrator"),
        ),
    )
