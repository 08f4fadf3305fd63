"""Kantata stand-in: custom fields with their choices and values, and external references."""

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.kantata.catalogue import COLLECTIONS, EXTENSIBLE, SUBJECTS
from sandbox.kantata.problems import invalid
from sandbox.kantata.store import Record, Unit
from sandbox.kantata.values import as_date, as_id, as_ids

VALUE_TYPES = ("string", "date", "number", "currency", "single", "multi")
REFERENCE_STATUSES = ("pending", "successful", "failed")
TAKEN = "has already been entered"


def subject_of(unit: Unit, fields: Record) -> tuple[str, Record]:
    """The record that `subject_type` and `subject_id` name: its collection and itself."""
    name = str(fields["subject_type"]).lower()
    collection = SUBJECTS.get({"resource": "workspaceresource"}.get(name, name))
    if not collection:
        raise invalid("subject_type", "is not included in the list")
    record = unit.find(collection.key, as_id(fields["subject_id"]))
    if not record:
        raise invalid("subject_id", "must exist")
    return collection.key, record


def field_subject(collection_subject: str) -> str:
    """The word custom fields use for a subject: a workspace resource is a `Resource` there."""
    return "Resource" if collection_subject == "WorkspaceResource" else collection_subject


def create_field(unit: Unit, fields: Record) -> Record:
    kind = fields.get("value_type") or "string"
    if kind not in VALUE_TYPES:
        raise invalid("value_type", "is not included in the list")
    subject = fields.get("subject_type") or "Workspace"
    if subject not in EXTENSIBLE:
        raise invalid("subject_type", "is not included in the list")
    choices = fields.pop("choices", None) or []
    field = unit.insert(
        "custom_fields",
        {
            "unique_constraint": False,
            "default_text": None,
            "custom_field_set_id": None,
            **fields,
            "value_type": kind,
            "subject_type": subject,
            "creator_id": unit.user_id,
        },
    )
    _write_choices(unit, field, choices)
    return field


def update_field(unit: Unit, field: Record, fields: Record) -> None:
    choices = fields.pop("choices", None)
    unit.amend("custom_fields", field, fields)
    if choices is not None:
        _write_choices(unit, field, choices)


def _write_choices(unit: Unit, field: Record, choices: list[Any]) -> None:
    """Replace the choices: known ids are renamed, new labels added, omitted ones go."""
    remaining: set[str] = set()
    if not isinstance(choices, list):
        raise invalid("choices", "is invalid")
    for choice in choices:
        wanted = choice if isinstance(choice, dict) else {"label": choice}
        if not wanted.get("label"):
            raise invalid("choices", "can't be blank")
        known = unit.find("custom_field_choices", as_id(wanted.get("id")))
        if known:
            unit.amend("custom_field_choices", known, {"label": wanted["label"]})
        else:
            known = unit.insert(
                "custom_field_choices", {"label": wanted["label"], "custom_field_id": field["id"]}
            )
        remaining.add(known["id"])
    for old in unit.where("custom_field_choices", custom_field_id=field["id"]):
        if old["id"] not in remaining:
            unit.erase("custom_field_choices", old)


def create_value(unit: Unit, fields: Record) -> Record:
    _, subject = subject_of(unit, fields)
    name = SUBJECTS.get(str(fields["subject_type"]).lower())
    kind = field_subject(name.subject) if name else "Resource"
    return _write_value(unit, kind, subject, fields["custom_field_id"], fields.get("value"), fresh=True)


def update_value(unit: Unit, held: Record, fields: Record) -> None:
    _write_value(
        unit, held["subject_type"], {"id": str(held["subject_id"])}, held["custom_field_id"], fields["value"]
    )


def write_values(unit: Unit, subject_type: str, subject: Record, wanted: Any) -> None:
    """The inline `custom_fields` of a create or update."""
    for item in wanted or []:
        if not isinstance(item, dict) or "custom_field_id" not in item:
            raise invalid("custom_fields", "is invalid")
        kind = field_subject(subject_type)
        _write_value(unit, kind, subject, as_id(item["custom_field_id"]), item.get("value"))


def _write_value(
    unit: Unit, subject_type: str, subject: Record, field_id: str | None, value: Any, *, fresh: bool = False
) -> Record:
    field = unit.find("custom_fields", field_id)
    if not field or field["subject_type"] != subject_type:
        raise invalid("custom_field_id", "must exist")
    subject_id = int(subject["id"])
    held = next(
        iter(unit.where("custom_field_values", custom_field_id=field["id"], subject_id=subject_id)),
        None,
    )
    if held and fresh:
        raise invalid("custom_field_id", "has already been taken")
    typed = _typed(unit, field, value)
    if field["unique_constraint"] and _is_taken(unit, field["id"], subject_id, typed):
        raise invalid("value", TAKEN)
    return _store_value(unit, field, held, subject_type, subject_id, typed)


def _store_value(
    unit: Unit, field: Record, held: Record | None, subject_type: str, subject_id: int, value: Any
) -> Record:
    before = held["value"] if held else None
    if held:
        row = unit.amend("custom_field_values", held, {"value": value, "setter_id": unit.user_id})
    else:
        row = unit.insert(
            "custom_field_values",
            {
                "subject_type": subject_type,
                "subject_id": subject_id,
                "custom_field_id": field["id"],
                "custom_field_name": field["name"],
                "type": field["value_type"],
                "value": value,
                "setter_id": unit.user_id,
            },
        )
    collection = SUBJECTS["workspaceresource" if subject_type == "Resource" else subject_type.lower()]
    if collection.event and (not held or before != value):
        verb = "custom_field_value_updated" if held else "custom_field_value_created"
        subject = (collection.subject, str(subject_id))
        unit.note(f"{collection.event}:{verb}", subject, {field["name"]: before}, {field["name"]: value})
    unit.refresh(collection.key, str(subject_id))
    return row


def _is_taken(unit: Unit, field_id: str, subject_id: int, value: Any) -> bool:
    rows = unit.where("custom_field_values", custom_field_id=field_id)
    return any(row["subject_id"] != subject_id and row["value"] == value for row in rows)


def _typed(unit: Unit, field: Record, value: Any) -> Any:
    """The value in the shape its type demands. Raises: RefusalError."""
    if value is None or value == "":
        raise invalid("value", "can't be blank")
    try:
        return _TYPES[field["value_type"]](unit, field, value)
    except (ValueError, InvalidOperation, TypeError):
        raise invalid("value", "is invalid") from None


def _choices(unit: Unit, field: Record, value: Any) -> list[int]:
    """Choice ids in a list, even for a single choice; a label is refused."""
    if not isinstance(value, list):
        raise TypeError
    known = {row["id"] for row in unit.where("custom_field_choices", custom_field_id=field["id"])}
    ids = as_ids(value)
    if not ids or not set(ids) <= known or (field["value_type"] == "single" and len(ids) > 1):
        raise ValueError
    return [int(each) for each in ids]


def _text(_unit: Unit, _field: Record, value: Any) -> str:
    if isinstance(value, (list, dict)):
        raise TypeError
    return str(value)


def _number(_unit: Unit, _field: Record, value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError
    return int(number) if number == number.to_integral_value() else number


def _currency(_unit: Unit, _field: Record, value: Any) -> list[Any]:
    subunits, code = value
    if isinstance(subunits, str):
        subunits = int(subunits)
    if not isinstance(subunits, int) or not isinstance(code, str):
        raise TypeError
    return [subunits, code]


_TYPES = {
    "string": _text,
    "date": lambda _unit, _field, value: as_date(value),
    "number": _number,
    "currency": _currency,
    "single": _choices,
    "multi": _choices,
}


def create_reference(unit: Unit, fields: Record) -> Record:
    key, subject = subject_of(unit, fields)
    return _write_reference(unit, key, subject, fields, fresh=True)


def update_reference(unit: Unit, held: Record, fields: Record) -> None:
    _check_status(fields)
    unit.amend("external_references", held, {**fields, "last_synced_at": unit.now})


def create_or_update_reference(unit: Unit, fields: Record) -> Record:
    """The one upsert of the API: by service and subject."""
    key, subject = subject_of(unit, fields)
    return _write_reference(unit, key, subject, fields)


def write_reference(unit: Unit, key: str, subject: Record, wanted: Any) -> None:
    """The inline `external_reference` of a create or update."""
    if not wanted:
        return
    if not isinstance(wanted, dict):
        raise invalid("external_reference", "is invalid")
    for name in ("service_name", "service_model", "service_model_ref"):
        if not wanted.get(name):
            raise invalid(name, "can't be blank")
    known = COLLECTIONS["external_references"].create
    _write_reference(unit, key, subject, {name: value for name, value in wanted.items() if name in known})


def _check_status(fields: Record) -> None:
    if fields.get("status") is not None and fields["status"] not in REFERENCE_STATUSES:
        raise invalid("status", "is not included in the list")


def _write_reference(unit: Unit, key: str, subject: Record, fields: Record, *, fresh: bool = False) -> Record:
    _check_status(fields)
    kind = next(each.subject for each in SUBJECTS.values() if each.key == key)
    service = str(fields["service_name"])
    identity = {"subject_type": kind, "subject_id": int(subject["id"]), "service_name": service}
    held = next(iter(unit.where("external_references", **identity)), None)
    if held and fresh:
        raise invalid("service_name", "has already been taken")
    wanted = {
        **{name: None for name in ("external_link", "external_status", "external_message") if not held},
        **({} if held else {"status": "pending", "locked": False}),
        **{name: value for name, value in fields.items() if name not in identity and value is not None},
        "service_model_ref": str(fields["service_model_ref"]),
        "last_synced_at": unit.now,
    }
    if held:
        return unit.amend("external_references", held, wanted)
    return unit.insert("external_references", {**identity, **wanted})
