"""The Salesforce stand-in's values in answers: numbers, and the address that reads its parts together."""

from typing import Any

from sandbox.salesforce.records.org import Record
from sandbox.salesforce.records.values import shown
from sandbox.salesforce.schema.fields import Field

shown_value = shown


def compound(record: Record, made: Field) -> dict[str, Any] | None:
    """An address as one object, or nothing if all of it is empty."""
    prefix = made.name.removesuffix("Address")
    parts = {
        name.removeprefix(prefix)[:1].lower() + name.removeprefix(prefix)[1:]: record.get(name)
        for name in made.parts
    }
    if not any(parts.values()):
        return None
    return {
        "city": parts["city"], "country": parts["country"], "countryCode": parts.get("countryCode"),
        "geocodeAccuracy": None, "latitude": None, "longitude": None, "postalCode": parts["postalCode"],
        "state": parts["state"], "stateCode": parts.get("stateCode"), "street": parts["street"],
    }  # fmt: skip
