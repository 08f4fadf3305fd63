"""The Salesforce stand-in's changes of metadata: what an administrator may do to fields while a test runs."""

from dataclasses import replace
from typing import Any

from sandbox.salesforce.schema.fields import Field, SObject, spaced

LENGTHS = {"string": 255, "textarea": 32000, "picklist": 255, "url": 255, "phone": 40, "email": 80}


def apply_change(objects: dict[str, SObject], change: dict[str, Any]) -> None:
    """Change the metadata in place; what is unknown raises. Raises: KeyError, ValueError."""
    made = objects[change["object"]]
    fields = dict(made.fields)
    if "add_field" in change:
        new = field_from(change["add_field"])
        fields[new.name] = new
    elif "remove_field" in change:
        del fields[change["remove_field"]]
    elif "retype" in change:
        fields[change["retype"]["name"]] = _retyped(fields, change["retype"])
    elif "permissions" in change:
        objects[made.name] = _permitted(made, change["permissions"])
        return
    else:
        raise ValueError("A schema change is add_field, remove_field, retype, permissions or validation_rule")
    objects[made.name] = made.with_fields(fields)


def field_from(wanted: dict[str, Any]) -> Field:
    """A custom field from its plain description: name, type, and what differs from the defaults."""
    name, said = str(wanted["name"]), str(wanted["type"])
    kind = {"text": "string", "number": "double"}.get(said, said)
    numeric = kind in {"currency", "double", "percent"}
    return Field(
        name=name,
        type=kind,
        label=wanted.get("label", spaced(name)),
        length=wanted.get("length", LENGTHS.get(kind, 0)),
        precision=wanted.get("precision", 18 if numeric else 0),
        scale=wanted.get("scale", 2 if numeric else 0),
        nillable=not wanted.get("required", False) and kind != "boolean",
        defaulted=kind == "boolean" or wanted.get("default") is not None,
        default=wanted.get("default", False if kind == "boolean" else None),
        external_id=wanted.get("external_id", False),
        unique=wanted.get("unique", False),
        id_lookup=wanted.get("external_id", False),
        restricted=wanted.get("restricted", bool(wanted.get("values"))),
        values=tuple(wanted.get("values", ())),
    )


def _retyped(fields: dict[str, Field], wanted: dict[str, Any]) -> Field:
    old = fields[wanted["name"]]
    same = {"label": old.label, "length": old.length, "required": not old.nillable, "values": old.values}
    return replace(field_from(same | wanted), external_id=old.external_id, unique=old.unique)


def _permitted(made: SObject, wanted: dict[str, Any]) -> SObject:
    """What the integration user may do: describe tells it, and a hidden field is as if it were not there."""
    fields = dict(made.fields)
    for name in wanted.get("read_only", ()):
        fields[name] = replace(fields[name], createable=False, updateable=False)
    whole = {key: wanted[key] for key in ("createable", "updateable", "deletable") if key in wanted}
    return replace(
        made, fields=fields, hidden=frozenset(wanted.get("hidden", made.hidden)), lower={}, **whole
    )
