"""Reads a TOML policy file into frozen Structs, or refuses it with every fault."""

import types
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from kit.settings import SettingsError, read_text, toml_of, with_allowed
from kit.toml_lines import line_of, lines_of

T = TypeVar("T")


def read(path: Path, kind: type[T]) -> T:
    """The file as a Struct; raises SettingsError that names the file, and each place with its line."""
    return parse(read_text(path), kind, str(path))


def parse(text: str, kind: type[T], name: str) -> T:
    """A file's text as a Struct; raises SettingsError as `read` does."""
    return decode(toml_of(text, name), kind, name, text)


def decode(raw: Any, kind: type[T], name: str, text: str = "") -> T:
    """Plain data as a Struct; raises SettingsError with every fault, and its line where the text is known."""
    places = list(_faults(raw, kind, ""))
    lines = lines_of(text) if places and text else None
    faults = [
        f"{name}:{line_of(lines, place)}: {place}: {what}" if lines else f"{name}: {place}: {what}"
        for place, what in places
    ]
    if not faults:
        try:
            return msgspec.convert(raw, kind)
        except msgspec.ValidationError as error:
            faults = [f"{name}: {error}"]
    raise SettingsError(faults)


def _faults(value: Any, kind: Any, place: str) -> list[tuple[str, str]]:
    """Every fault of a value: msgspec stops at the first, so each part is converted separately."""
    kind = _present(kind)
    if get_origin(kind) is Annotated:
        return _faults(value, get_args(kind)[0], place) or _whole_fault(value, kind, place)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        return _struct_faults(value, kind, place)
    if get_origin(kind) is dict and isinstance(value, dict):
        of_key, of_value = get_args(kind)
        parts = [(item, _join(place, key), of_value) for key, item in value.items()]
        parts += [(key, _join(place, key), of_key) for key in value]
    elif get_origin(kind) is tuple and isinstance(value, list):
        parts = [(item, f"{place}[{index}]", get_args(kind)[0]) for index, item in enumerate(value)]
    else:
        return _whole_fault(value, kind, place)
    return [fault for item, where, of in parts for fault in _faults(item, of, where)]


def _whole_fault(value: Any, kind: Any, place: str) -> list[tuple[str, str]]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return [(place, with_allowed(str(error), kind))]
    return []


def _struct_faults(value: dict[str, Any], kind: type[msgspec.Struct], place: str) -> list[tuple[str, str]]:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    faults = [
        (_join(place, name), f"is not a setting; known are {', '.join(sorted(fields))}")
        for name in value
        if name not in fields
    ]
    for name, field in fields.items():
        if name in value:
            faults += _faults(value[name], field.type, _join(place, name))
        elif field.required:
            faults.append((_join(place, name), "is missing"))
    return faults or _whole_fault(value, kind, place)  # rules that span fields live in __post_init__


def _present(kind: Any) -> Any:
    """The type without the option of None: TOML has no null, what is absent is left out."""
    if get_origin(kind) in (Union, types.UnionType):
        rest = [option for option in get_args(kind) if option is not type(None)]
        return rest[0] if len(rest) == 1 else kind
    return kind


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
