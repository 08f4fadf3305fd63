"""deploy: the reference page of all settings, made from their Structs; running this module writes it."""

import inspect
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import msgspec

from deploy.settings import ServerSettings
from gateway.pipeline import GatewaySettings
from gateway.plans import ConsumersFile
from kit.retention import RetentionSettings
from process_apis.app import settings_kinds

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
FILES = {
    "gateway.toml": GatewaySettings,
    "consumers.toml": ConsumersFile,
    "retention.toml": RetentionSettings,
    "flows.toml": settings_kinds(),
}
"""Each file with the Struct of its content, or with those of its sections."""

_HEAD = """# Settings

Every setting, with its type and its default (**required** where it has none).
[Configuration](configuration.md) shows them in use. This page is written by
`.venv/bin/python -m deploy.composition.settings_page`.
"""


def page() -> str:
    """The page as Markdown."""
    variables = _table(ServerSettings, lambda name: f"ENFILADE_{name.upper()}")
    parts = [_HEAD, f"## Environment\n\n{_doc(ServerSettings)}\n\n{variables}"]
    for file, kind in FILES.items():
        parts.append(f"## {file}\n")
        parts += [_section(place, struct) for place, struct in sections(kind)]
    return "\n".join(parts)


def sections(kind: Any, place: str = "") -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Each Struct of a file, or of its sections, with its table's place (``plans.NAME``), outermost first."""
    if isinstance(kind, dict):
        for name, of_section in kind.items():
            yield from sections(of_section, name)
        return
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield place, kind
        for field in msgspec.structs.fields(kind):
            yield from sections(field.type, f"{place}.{field.encode_name}".lstrip("."))
        return
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        yield from sections(arguments[1], f"{place}.NAME")
    elif get_origin(kind) in (tuple, list):
        yield from sections(arguments[0], f"{place}[]")
    else:
        for argument in arguments:
            yield from sections(argument, place)


def heading_of(place: str) -> str:
    """The heading of a table, as TOML writes it."""
    if place.endswith("[]"):
        return f"`[[{place[:-2]}]]`"
    return f"`[{place}]`" if place else "At the top"


def _section(place: str, kind: type[msgspec.Struct]) -> str:
    return f"### {heading_of(place)}\n\n{_doc(kind)}\n\n{_table(kind, str)}"


def _table(kind: type[msgspec.Struct], shown: Any) -> str:
    rows = ["| setting | type | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(kind):
        cells = (f"`{shown(field.encode_name)}`", _type(field.type), _default(field))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _doc(kind: type) -> str:
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split())


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "**required**"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if isinstance(value, msgspec.Struct):
        return "as below"
    if isinstance(value, str) and Path(value).is_absolute():
        return f"`{Path(value).name}` of the installation"
    plain = msgspec.to_builtins(value)
    return "none" if plain in (None, "", [], {}) else f"`{msgspec.json.encode(plain).decode()}`"


def _type(kind: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(arguments[0]) + _bounds(arguments[1:])
    if origin is dict:
        return f"table of {_type(arguments[1])} by name"
    if origin in (tuple, list, frozenset):
        return f"list of {_type(arguments[0])}"
    if origin in (typing.Literal, typing.Union, types.UnionType):
        named = (f"`{each}`" if origin is typing.Literal else _type(each) for each in arguments)
        return " or ".join(name for name in named if name != "NoneType")
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "table"
    names = {str: "text", int: "integer", float: "number", bool: "true or false", Any: "anything"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def _bounds(metas: tuple[Any, ...]) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "pattern": "like", "max_length": "length ≤"}
    bounds = [
        f"{sign} `{value}`"
        for meta in metas
        for name, sign in signs.items()
        if (value := getattr(meta, name, None)) is not None
    ]
    return "".join(f", {bound}" for bound in bounds)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
