"""Reference files: the firm's versioned TOML files, read together and refused together."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from contracts.canonical.reference import ReferenceData
from kit.settings import SettingsError
from process_apis.reference import Reference, inconsistencies


def read(folder: Path) -> Reference:
    """The reference data of a folder's TOML files; raises SettingsError with every fault."""
    merged: dict[str, Any] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            part = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            faults.append(f"{path}: {error}")
            continue
        for name, value in part.items():
            if name != "version" and name in merged:
                faults.append(f"{path}: {name} is given in another file, too")
            merged[name] = max(merged.get(name, 0), value) if name == "version" else value
    if not merged:
        faults.append(f"{folder}: no reference files (*.toml) are there")
    if faults:
        raise SettingsError(faults)
    try:
        reference = Reference(msgspec.convert(merged, ReferenceData))
    except msgspec.ValidationError as error:
        raise SettingsError([f"{folder}: {error}"]) from None
    if faults := [f"{folder}: {fault}" for fault in inconsistencies(reference)]:
        raise SettingsError(faults)
    return reference
