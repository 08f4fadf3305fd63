"""The Salesforce stand-in's Avro: schemas of change events, their payloads and the header's bitmaps."""

import base64
import hashlib
import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from sandbox.salesforce.records.values import read_datetime
from sandbox.salesforce.schema.fields import Field, SObject

NAMESPACE = "com.sforce.eventbus"
# Never published: system fields of the row itself, and what is worked out from others.
UNTOLD = {
    "Id", "IsDeleted", "SystemModstamp", "MasterRecordId", "Fiscal", "FiscalYear", "FiscalQuarter",
}  # fmt: skip
CHANGE_TYPES = [
    "CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE",
    "GAP_OVERFLOW", "SNAPSHOT",
]  # fmt: skip
DOCS = {
    "currency": "Data:Currency", "percent": "Data:Percent", "double": "Data:Double", "date": "Data:DateOnly",
    "boolean": "Data:Boolean", "picklist": "Data:DynamicEnum", "reference": "ForeignKey:EntityId",
    "datetime": "Data:DateTime", "textarea": "Data:StringPlusClob",
}  # fmt: skip
AVRO_TYPES = {
    "currency": "double", "percent": "double", "double": "double", "int": "int", "boolean": "boolean",
    "date": "long", "datetime": "long",
}  # fmt: skip
PERSON = ["Salutation", "FirstName", "LastName"]


def _strings() -> dict[str, Any]:
    return {"type": "array", "items": "string"}


HEADER = {
    "type": "record", "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "recordIds", "type": _strings()},
        {"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": CHANGE_TYPES}},
        {"name": "changeOrigin", "type": "string"},
        {"name": "transactionKey", "type": "string"},
        {"name": "sequenceNumber", "type": "int"},
        {"name": "commitTimestamp", "type": "long"},
        {"name": "commitNumber", "type": "long"},
        {"name": "commitUser", "type": "string"},
        {"name": "nulledFields", "type": _strings()},
        {"name": "diffFields", "type": _strings()},
        {"name": "changedFields", "type": _strings()},
    ],
}  # fmt: skip


def compounds(made: SObject) -> dict[str, list[str]]:
    """Fields that hold others in an event: addresses, and the name of a person."""
    found = {f.name: list(f.parts) for f in made.fields.values() if f.parts}
    if made.name == "Contact":
        found["Name"] = PERSON
    return found


def told_fields(made: SObject) -> list[Field]:
    inner = {part for parts in compounds(made).values() for part in parts}
    return [f for f in made.visible if f.name not in UNTOLD | inner]


def change_schema(made: SObject) -> dict[str, Any]:
    """The Avro schema of the object's change event; its uuid is the schema's id."""
    header = {"name": "ChangeEventHeader", "type": HEADER, "doc": "Data:Entity"}
    defined: set[str] = set()
    fields = [header, *(_avro_field(made, f, defined) for f in told_fields(made))]
    return _with_id(
        {"name": f"{made.name}ChangeEvent", "namespace": NAMESPACE, "type": "record", "fields": fields}
    )


def platform_schema(name: str, fields: list[str]) -> dict[str, Any]:
    """The Avro schema of a platform event with text fields."""
    system = [
        {"name": "CreatedDate", "type": "long", "doc": "CreatedDate:DateTime"},
        {"name": "CreatedById", "type": "string", "doc": "CreatedBy:EntityId"},
    ]
    own = [{"name": f, "type": ["null", "string"], "doc": "Data:Text", "default": None} for f in fields]
    return _with_id({"name": name, "namespace": NAMESPACE, "type": "record", "fields": system + own})


def _with_id(schema: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).digest()[:16]
    return schema | {"uuid": base64.urlsafe_b64encode(digest).decode().rstrip("=")}


def _avro_field(made: SObject, field: Field, defined: set[str]) -> dict[str, Any]:
    if field.name in compounds(made):
        kind: Any = ["null", _compound_type(field, defined)]
    elif made.name == "Account" and field.name == "Name":
        # A business account's name is text; a person account's would be the record.
        kind = ["null", "string", _person("Switchable_PersonName")]
    else:
        kind = ["null", AVRO_TYPES.get(field.type, "string")]
    return {"name": field.name, "type": kind, "doc": DOCS.get(field.type, "Data:Text"), "default": None}


def _compound_type(field: Field, defined: set[str]) -> Any:
    if field.type != "address":
        return _person("PersonName")
    if "Address" in defined:
        return "Address"
    defined.add("Address")
    parts = ["Street", "City", "State", "PostalCode", "Country", "StateCode", "CountryCode"]
    texts = [{"name": part, "type": ["null", "string"], "default": None} for part in parts]
    places = [
        {"name": part, "type": ["null", "double"], "default": None} for part in ("Latitude", "Longitude")
    ]
    return {"type": "record", "name": "Address", "fields": texts + places}


def _person(name: str) -> dict[str, Any]:
    fields = [{"name": part, "type": ["null", "string"], "default": None} for part in PERSON]
    return {"type": "record", "name": name, "fields": fields}


def bitmaps(made: SObject, names: set[str]) -> list[str]:
    """Field names as the header's hex bitmaps: one for the event's fields, `place-0x…` for a compound's."""
    order = ["ChangeEventHeader", *(f.name for f in told_fields(made))]
    inside = {part: whole for whole, parts in compounds(made).items() for part in parts}
    top = [place for place, name in enumerate(order) if name in names and name not in compounds(made)]
    found = [_hex(top)] if top else []
    for whole, parts in compounds(made).items():
        places = [place for place, part in enumerate(parts) if part in names and inside[part] == whole]
        if places:
            found.append(f"{order.index(whole)}-{_hex(places)}")
    return found


def _hex(places: list[int]) -> str:
    number = sum(1 << place for place in places)
    return "0x" + number.to_bytes((number.bit_length() + 7) // 8, "big").hex().upper()


def event_fields(made: SObject, values: dict[str, Any]) -> dict[str, Any]:
    """A record's values as an event carries them: compounds nested, times as milliseconds."""
    fields: dict[str, Any] = {}
    nested = compounds(made)
    for field in told_fields(made):
        if field.name in nested:
            prefix = field.name.removesuffix("Address") if field.parts else ""
            inner = {
                p.removeprefix(prefix): values[p] for p in nested[field.name] if values.get(p) is not None
            }
            if inner:
                fields[field.name] = inner
        elif values.get(field.name) is not None:
            fields[field.name] = _avro_value(field, values[field.name])
    return fields


def _avro_value(field: Field, value: Any) -> Any:
    if field.type == "date":
        midnight = datetime.combine(date.fromisoformat(value), time(), UTC)
        return int(midnight.timestamp() * 1000)
    if field.type == "datetime":
        return int(read_datetime(value).timestamp() * 1000)
    return float(value) if isinstance(value, Decimal) else value


def encode(schema: dict[str, Any], event: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    # Decimals come back from the saved file where floats were put in.
    schemaless_writer(out, parse_schema(schema), _floats(event))
    return out.getvalue()


def decode(schema: dict[str, Any], payload: bytes) -> dict[str, Any]:
    record = schemaless_reader(io.BytesIO(payload), parse_schema(schema), None)
    if not isinstance(record, dict):
        raise TypeError("An event is a record")
    return record


def _floats(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _floats(part) for key, part in value.items()}
    return value
