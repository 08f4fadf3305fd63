"""Settings: a frozen Struct per module, read once at start, with every fault reported together."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from kit.toml_lines import line_of, lines_of

_AT = re.compile(r"at `\$([^`]*)`$")
T = TypeVar("T", bound=msgspec.Struct)
_MOST = 2**63


class SettingsError(Exception):
    """All that is wrong with the settings, a sentence a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(kind: type[T], prefix: str, environ: Mapping[str, str]) -> T:
    """A module's settings from variables named PREFIX_FIELD; raises SettingsError with every fault."""
    values, faults = gather(kind, prefix, environ)
    if faults:
        raise SettingsError(faults)
    return kind(**values)


def gather(
    kind: type[msgspec.Struct], prefix: str, environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """The values of the variables that can be read, by field, and every fault of the others."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in msgspec.structs.fields(kind):
        name = f"{prefix}_{field.name}".upper()
        text = environ.get(name)
        if text is None or text == "":
            if field.required:
                faults.append(f"{name} is not set")
            continue
        try:
            value = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as error:
            faults.append(f"{name}: {with_allowed(str(error), field.type)}")
            continue
        except UnicodeEncodeError:
            faults.append(f"{name} is not UTF-8")
            continue
        if isinstance(value, int | float) and not abs(value) < _MOST:  # NaN is less than nothing
            faults.append(f"{name}: Expected a number of less than 64 bits")
        values[field.name] = value
    return values, faults


def with_allowed(fault: str, kind: Any) -> str:
    """What is wrong with a value; of a fixed set of values also these."""
    allowed = map(str, get_args(kind)) if get_origin(kind) is Literal else ()
    return f"{fault}; allowed are {values}" if (values := ", ".join(allowed)) else fault


def read_toml(path: Path, kind: type[T]) -> T:
    """A schema-checked TOML file; raises SettingsError that names the file, the line and the place."""
    text = read_text(path)
    try:
        return msgspec.convert(toml_of(text, str(path)), kind)
    except msgspec.ValidationError as error:
        raise SettingsError([f"{path}:{line_of_fault(lines_of(text), str(error))}: {error}"]) from None


def read_text(path: Path) -> str:
    """A file's text; raises SettingsError that names the file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError([f"{path}: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise SettingsError([f"{path}: is not UTF-8 ({error.reason} at byte {error.start})"]) from None


def toml_of(text: str, name: str) -> dict[str, Any]:
    """A TOML document; raises SettingsError under the name of its file."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{name}: {error}"]) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or nested too deep
        raise SettingsError([f"{name}: cannot be read: {str(error)[:200]}"]) from None


def line_of_fault(lines: dict[str, int], fault: str) -> int:
    """The line of the place that a fault names, at its beginning or, as msgspec does, at its end."""
    outer, (inner, _, _) = _AT.search(fault), fault.partition(": ")
    place = outer[1].strip(".") if outer else ""
    within = f"{place}.{inner}" if place and not inner.startswith(place) else inner
    return line_of(lines, within if within in lines else place or inner)
