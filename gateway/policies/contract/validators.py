"""Validators: compiled once from the frozen document; a quick check, and every fault with its pointer."""

import functools
import math
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec

from contracts.problems import Fault
from gateway.policies.contract.body import escape

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_MANY = 100  # faults reported at once
_INTEGER = re.compile(r"^-?(0|[1-9][0-9]{0,17})$")
_NUMBER = re.compile(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$")


class Validator:
    """A schema of a document, compiled; raises what jsonschema-rs raises when the schema itself is broken."""

    def __init__(self, schema: dict[str, Any], components: dict[str, Any]) -> None:
        pointed = _pointed(schema)
        schemas = _referenced(pointed, components.get("schemas", {}))
        whole = {"$schema": DIALECT, **pointed, "components": {"schemas": schemas}}
        self._validator = _compiled(msgspec.json.encode(whole))
        self.is_valid = self._validator.is_valid

    def faults(self, value: Any, base: str = "") -> list[Fault]:
        """Every fault of a value (a hundred at most), pointers below `base`."""
        faults: list[Fault] = []
        for error in self._validator.iter_errors(value):
            faults += _faults(error, base)
            if len(faults) >= _MANY:
                break
        return faults[:_MANY]


@functools.lru_cache(maxsize=4096)
def _compiled(schema: bytes) -> jsonschema_rs.Validator:
    """The compiled schema; that of many routes is one, also after a change of policy."""
    # Values are masked in messages: a fault is sent to the caller, which may log it.
    return jsonschema_rs.validator_for(
        msgspec.json.decode(schema), validate_formats=True, mask="the value", retriever=_fetch_nothing
    )


def _referenced(schema: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas of the document that this one refers to, also by way of others."""
    referenced: dict[str, Any] = {}
    parts = [schema]
    while parts:
        part = parts.pop()
        if isinstance(part, list):
            parts += part
        elif isinstance(part, dict):
            parts += part.values()
            name = str(part.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in referenced:
                referenced[name] = _pointed(schemas[name])
                parts.append(referenced[name])
    return referenced


def _fetch_nothing(uri: str) -> Any:
    """Raise ValueError: documents are complete, and a schema must not cause a request or open a file."""
    raise ValueError(f"{uri} is not part of the document")


def _faults(error: Any, base: str) -> Iterator[Fault]:
    pointer = base + "".join(f"/{escape(part)}" for part in error.instance_path)
    code = str(error.schema_path[-1]) if error.schema_path else "schema"
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield Fault(f"{pointer}/{escape(kind.property)}", "is required", "required", field=kind.property)
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            yield Fault(f"{pointer}/{escape(name)}", "is not known here", "unknown", field=name)
    else:
        last = error.instance_path[-1] if error.instance_path else ""
        yield Fault(pointer, error.message[:300], code, field=last if isinstance(last, str) else "")


def _pointed(schema: Any) -> Any:
    """An equivalent schema whose failures point at the part that fails.

    A failed ``anyOf`` reports only that no branch matched. One with null, or with a discriminator, is
    rewritten as conditions, so that the intended branch reports its own faults.
    """
    if isinstance(schema, list):
        return [_pointed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {name: _pointed(value) for name, value in schema.items() if name not in ("anyOf", "discriminator")}
    if "anyOf" not in schema:
        return rest if "discriminator" not in schema else {**rest, "discriminator": schema["discriminator"]}
    options = schema["anyOf"]
    others = [option for option in options if option != {"type": "null"}]
    if len(others) == 1 and len(options) == 2:  # noqa: PLR2004 - null and one other
        return {**rest, "if": {"type": "null"}, "then": True, "else": _pointed(others[0])}
    mapping = schema.get("discriminator", {}).get("mapping")
    if mapping and len(options) == len(mapping):
        return {**rest, **_by_kind(schema["discriminator"]["propertyName"], mapping)}
    return {**rest, "anyOf": _pointed(options)}


def _by_kind(name: str, mapping: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name],
        "properties": {name: {"enum": list(mapping)}},
        "allOf": [
            {"if": {"properties": {name: {"const": kind}}, "required": [name]}, "then": {"$ref": reference}}
            for kind, reference in mapping.items()
        ],
    }


def types_of(schema: dict[str, Any], components: dict[str, Any]) -> frozenset[str]:
    """The JSON types that a parameter's schema accepts, through references and alternatives."""
    if "$ref" in schema:
        target = components.get("schemas", {}).get(schema["$ref"].rpartition("/")[2], {})
        return types_of(target, components)
    options = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if options:
        return frozenset().union(*(types_of(option, components) for option in options))
    kind = schema.get("type", "string")
    return frozenset(kind if isinstance(kind, list) else [kind])


def coerced(text: str, kinds: frozenset[str]) -> Any:
    """A parameter's text as a type that its schema accepts; other text is returned as it is."""
    if "integer" in kinds and _INTEGER.match(text):
        return int(text)
    if "number" in kinds and _NUMBER.match(text) and math.isfinite(float(text)):
        return float(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text
