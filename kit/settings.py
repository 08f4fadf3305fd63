"""Settings: a frozen Struct per room, read once at start, with every fault reported together."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(Exception):
    """All that is wrong with the settings, a sentence a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load(kind: type[T], prefix: str, environ: Mapping[str, str]) -> T:
    """A room's settings from variables named PREFIX_FIELD; raises SettingsError with every fault."""
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
            values[field.name] = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as error:
            faults.append(f"{name}: {error}")
    return values, faults


def read_toml(path: Path, kind: type[T]) -> T:
    """A schema-checked TOML file; raises SettingsError that names the file and the place."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except OSError as error:
        raise SettingsError([f"{path}: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError([f"{path}: {error}"]) from None
