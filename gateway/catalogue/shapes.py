"""What the catalogue shows of request and answer fields, and an example call, from an API's document."""

import shlex
from typing import Any

Row = dict[str, Any]
"""A field of a table: its name, kind, whether it is required, and what else is said of it."""

_LIMITS = (
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minimum", "at least {}"),
    ("maximum", "at most {}"),
    ("minItems", "at least {} items"),
    ("pattern", "like {}"),
)


def kind(schema: dict[str, Any]) -> str:
    """A schema in a few words: the name of what it refers to, its choices, or its type."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2].removesuffix("In")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(kind(option) for option in options)
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return " ".join(str(schema[key]) for key in ("type", "format") if key in schema)


def body(operation: dict[str, Any], components: dict[str, Any]) -> list[Row]:
    """The request body's fields; empty where there is none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return _rows(content["schema"], components) if content else []


def answer(operation: dict[str, Any], components: dict[str, Any]) -> tuple[str, list[Row]]:
    """The status of the successful answer, and its fields."""
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json")
        if status.startswith("2") and content:
            return status, _rows(content["schema"], components)
    return "", []


def curl(method: str, url: str, operation: dict[str, Any]) -> str:
    """The call as a command line; the caller fills in the parts in braces."""
    words = ["curl", "-X", method, url, "-H", "Authorization: Bearer $TOKEN"]
    for item in operation.get("parameters", ()):
        if item["in"] == "header" and item.get("required"):
            words += ["-H", f"{item['name']}: …"]
    if "requestBody" in operation:
        words += ["-H", "Content-Type: application/json", "-d", "@body.json"]
    return " ".join(shlex.quote(word) if "$TOKEN" not in word else f'"{word}"' for word in words)


def _rows(schema: dict[str, Any], components: dict[str, Any]) -> list[Row]:
    name = schema.get("$ref", "").rpartition("/")[2]
    shape = components["schemas"].get(name, schema)
    needed = shape.get("required", ())
    return [
        {"name": field, "kind": kind(part), "required": field in needed, "described": _described(part)}
        for field, part in shape.get("properties", {}).items()
    ]


def _described(schema: dict[str, Any]) -> str:
    """What the contract says of a field beside its type."""
    limits = [words.format(schema[key]) for key, words in _LIMITS if key in schema]
    return ". ".join(part for part in (schema.get("description", ""), ", ".join(limits)) if part)
