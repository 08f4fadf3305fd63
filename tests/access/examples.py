"""tests/access: a value that fits a schema, with ids of our choosing where its properties ask for them."""

from typing import Any

# What no schema says and every value needs: a text of each form that our APIs ask for.
_FORMS = {
    "^[A-Z]{3}$": "GBP",
    "^[A-Z]{2}$": "GB",
    "date": "2027-01-11",
    "date-time": "2027-01-11T00:00:00Z",
    "decimal": "1.00",
}


def example(schema: dict[str, Any], components: dict[str, Any], words: dict[str, str], name: str = "") -> Any:
    """A value of a schema: what is required, and every property that one of the words is for."""
    if name in words:
        return words[name]
    if "$ref" in schema:
        return example(components[schema["$ref"].rpartition("/")[2]], components, words, name)
    if "anyOf" in schema:
        return example(schema["anyOf"][0], components, words, name)
    if schema.get("type") == "object":
        return _object(schema, components, words)
    if schema.get("type") == "array":
        return [example(schema.get("items", {}), components, words)] * schema.get("minItems", 0)
    return _plain(schema)


def _plain(schema: dict[str, Any]) -> Any:
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if schema.get("type") in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    if schema.get("type") == "boolean":
        return False
    known = _FORMS.get(schema.get("pattern", "")) or _FORMS.get(schema.get("format", ""))
    return known or "x" * max(1, schema.get("minLength", 1))


def _object(schema: dict[str, Any], components: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    wanted = set(schema.get("required", ())) | (words.keys() & schema.get("properties", {}).keys())
    return {
        name: example(part, components, words, name)
        for name, part in schema.get("properties", {}).items()
        if name in wanted
    }


def properties(schema: dict[str, Any], components: dict[str, Any]) -> set[str]:
    """The names of all properties of a schema, however deep."""
    name = schema.get("$ref", "").rpartition("/")[2]
    whole = components[name] if name else schema
    parts = whole.get("properties", {})
    inner = [*parts.values(), *whole.get("anyOf", ()), *([whole["items"]] if "items" in whole else ())]
    return set(parts).union(*(properties(part, components) for part in inner))
