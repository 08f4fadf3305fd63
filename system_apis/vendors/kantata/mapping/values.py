"""system_apis: the values of Kantata OX's custom fields in our terms. Pure."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from contracts.canonical.values import Money
from system_apis.connector import values
from system_apis.connector.refusals import missing
from system_apis.connector.values import whole_number_ids
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import Catalogue, CustomField, CustomFieldValue, Held

WORKSPACE, STORY, GROUP = "Workspace", "Story", "WorkspaceGroup"
canonical_id = whole_number_ids("Kantata")


def main_units(amount: Decimal) -> int:
    """A budget as the vendor accepts it: whole units, because its `price` has no decimals."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def subunits(amount: Decimal, base_unit: int) -> int:
    """An amount in cents, or what the currency has for them."""
    return int((amount * base_unit).quantize(Decimal(1), ROUND_HALF_EVEN))


def money(in_cents: int | None, currency: str | None, base_unit: int) -> Money | None:
    return None if in_cents is None else values.money(Decimal(in_cents) / base_unit, currency)


def field_of(catalogue: Catalogue, subject: str, name: str, instance: str) -> CustomField:
    """The account's custom field of a name; raises VendorRejected where there is none."""
    field = catalogue.fields.get((subject, name))
    if field is None:
        sentence = f"the account has no custom field {name!r} for {subject}"
        raise missing(instance, sentence, f"custom_fields/{name}")
    return field


def custom_values(
    subject: str, texts: Mapping[str, str], instance: str, catalogue: Catalogue
) -> dict[str, Any]:
    """Texts by field name as values by field id."""
    fields = [field_of(catalogue, subject, name, instance) for name in texts]
    return {field.id: _to_wire(catalogue, field, texts[field.name], instance) for field in fields}


def named_custom(custom: Mapping[str, str], names: Mapping[str, str], instance: str) -> dict[str, str]:
    """What the caller adds, by the account's field names; raises VendorRejected for an unknown one."""
    for noun in custom:
        if noun not in names:
            sentence = f"the profile names no custom field for {noun!r}"
            raise missing(instance, sentence, f"custom/{noun}")
    return {names[noun]: text for noun, text in custom.items()}


def custom_bodies(custom: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Values by field id, as a new record has them."""
    return [{"custom_field_id": id_, "value": value} for id_, value in custom.items()]


def _to_wire(catalogue: Catalogue, field: CustomField, text: str, instance: str) -> Any:
    """A text as the field's type has it; raises VendorRejected where it does not fit."""
    place = f"custom_fields/{field.name}"
    if field.value_type in ("single", "multi"):
        choice = catalogue.choices.get(field.id, {}).get(text)
        if choice is None:
            raise missing(instance, f"the custom field {field.name!r} has no choice {text!r}", place)
        return [choice]
    if field.value_type == "number":
        try:
            return Decimal(text)
        except InvalidOperation:
            sentence = f"the custom field {field.name!r} accepts numbers, not {text!r}"
            raise missing(instance, sentence, place) from None
    return text


def text_of(catalogue: Catalogue, record: Held, subject: str, name: str) -> str:
    """A custom field's value as a text: the label of a choice, empty where nothing is set."""
    field = catalogue.fields.get((subject, name)) if name else None
    value = by_field(record).get(field.id) if field else None
    if field is None or value is None or value.value is None:
        return ""
    if field.value_type in ("single", "multi"):
        chosen = {str(each) for each in value.value} if isinstance(value.value, list) else {str(value.value)}
        labels = catalogue.choices.get(field.id, {})
        return next((label for label, choice in labels.items() if choice in chosen), "")
    return str(value.value)


def by_field(record: Held) -> dict[str, CustomFieldValue]:
    """The record's custom values by field id."""
    return {str(value.custom_field_id): value for value in record.custom}


def reference(key: str, noun: str, profile: KantataProfile) -> dict[str, str]:
    """Our external reference, which the vendor stores beside a record."""
    service = profile.connection.service_name
    return {"service_name": service, "service_model": noun, "service_model_ref": key}


def key_of(record: Held, subject: str, name: str, profile: KantataProfile, catalogue: Catalogue) -> str:
    """Our key of a record: from its unique field, or from our reference."""
    service = profile.connection.service_name
    references = (str(each.service_model_ref) for each in record.references if each.service_name == service)
    return text_of(catalogue, record, subject, name) or next(references, "")
