"""system_apis: a change event's header, and the fields that its bitmaps mark. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from system_apis.platforms.salesforce_org.records import ChangeEventHeader


class ChangeEvent(NamedTuple):
    """An event with data; `names` are the changed fields, `by_us`: our own write caused it."""

    header: ChangeEventHeader
    payload: dict[str, Any]
    names: list[str]
    by_us: bool

    @property
    def created(self) -> bool:
        return self.header.change_type in ("CREATE", "UNDELETE")


def changed_names(bitmaps: Sequence[str], schema: Mapping[str, Any]) -> list[str]:
    """The fields that a change event's bitmaps mark, by their order in its Avro schema.

    `0x…` marks the record's fields, `7-0x…` those of the compound field at position 7.
    """
    names: list[str] = []
    for bitmap in bitmaps:
        place, nested, bits = bitmap.rpartition("-")
        if not nested:
            names += _marked(bits, schema["fields"])
            continue
        parent = schema["fields"][int(place)]
        names += [f"{parent['name']}.{name}" for name in _marked(bits, _record_of(parent["type"])["fields"])]
    return names


def _marked(bits: str, fields: Sequence[Mapping[str, Any]]) -> list[str]:
    number = int(bits, 16)
    return [field["name"] for place, field in enumerate(fields) if number >> place & 1]


def _record_of(kind: Any) -> Mapping[str, Any]:
    """The record among the alternatives of an optional compound field."""
    for alternative in kind if isinstance(kind, list) else [kind]:
        if isinstance(alternative, dict) and "fields" in alternative:
            return alternative
    raise ValueError("a bitmap marks parts of a field that has none")
