"""Schemas: JSON Schema (2020-12) of our types, closed where a caller speaks and open where we answer."""

import inspect
from typing import Any

import msgspec

CLOSED_SUFFIX = "In"
# PostgreSQL and most vendors cannot store it, so no text that we accept may contain it.
_NO_NUL = r"^[^\u0000]*$"
_TEXT_IS_BOUND_BY = frozenset({"pattern", "format", "enum", "const"})


class Schemas:
    """The components of one document, gathered as they are asked for."""

    def __init__(self) -> None:
        self._components: dict[str, Any] = {}

    def answer(self, kind: Any) -> dict[str, Any]:
        """The open schema of an answer: readers ignore what they do not know."""
        return self._gather(kind, "#/components/schemas/{name}", closed=False)

    def request(self, kind: Any) -> dict[str, Any]:
        """The closed schema of a request: an unknown field is a fault, not a silence."""
        return self._gather(kind, "#/components/schemas/{name}" + CLOSED_SUFFIX, closed=True)

    def parameter(self, kind: Any) -> dict[str, Any]:
        """The schema of a path or query parameter; an absent one is absent, so null is no value."""
        schema = self.request(kind)
        options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
        if not options:
            return schema
        rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
        return {**rest, **(options[0] if len(options) == 1 else {"anyOf": options})}

    def components(self) -> dict[str, Any]:
        """Everything gathered, by name."""
        return dict(sorted(self._components.items()))

    def _gather(self, kind: Any, template: str, *, closed: bool) -> dict[str, Any]:
        (schema,), components = msgspec.json.schema_components([kind], ref_template=template)
        for name, component in map(_dedented, components.items()):
            if closed:
                # Generators name what they make by the title: two of one title would exclude each other.
                self._components[name + CLOSED_SUFFIX] = {**_close(component), "title": name + CLOSED_SUFFIX}
            else:
                self._components[name] = component
        return _strict(schema) if closed else schema


def _dedented(named: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The component with its docstring as Python 3.13 and later have it: without the source's indentation."""
    name, component = named
    if "description" not in component:
        return name, component
    return name, {**component, "description": inspect.cleandoc(component["description"])}


def _close(component: dict[str, Any]) -> dict[str, Any]:
    strict = _strict(component)
    if strict.get("type") == "object" and "properties" in strict:
        return {**strict, "additionalProperties": False}
    return strict


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with all its free text bound to what can be stored."""
    strict = {name: _strict_part(name, value) for name, value in schema.items()}
    if strict.get("type") == "string" and not strict.keys() & _TEXT_IS_BOUND_BY:
        strict["pattern"] = _NO_NUL
    if isinstance(strict.get("additionalProperties"), dict):
        strict["propertyNames"] = _strict({"type": "string", **strict.get("propertyNames", {})})
    return strict


def _strict_part(name: str, value: Any) -> Any:
    match name, value:
        case ("properties", {**parts}):
            return {key: _strict(part) for key, part in parts.items()}
        case (("anyOf" | "oneOf" | "allOf" | "prefixItems"), [*parts]):
            return [_strict(part) for part in parts]
        case (("items" | "additionalProperties"), {**part}):
            return _strict(part)
        case _:
            return value
