"""Reference files: the firm's versioned TOML files, read together and refused together."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from contracts.canonical.reference import ReferenceData
from kit.settings import SettingsError, line_of_fault
from kit.toml_lines import lines_of
from process_apis.reference import Reference, inconsistencies


def read(folder: Path) -> Reference:
    """The reference data of a folder's TOML files; raises SettingsError with every fault."""
    merged: dict[str, Any] = {}
    places: dict[str, tuple[Path, dict[str, int]]] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            text = path.read_text(encoding="utf-8")
            part, lines = tomllib.loads(text), lines_of(text)
        except (OSError, tomllib.TOMLDecodeError) as error:
            faults.append(f"{path}: {error}")
            continue
        for name, value in part.items():
            if name != "version" and name in merged:
                faults.append(f"{path}: {name} is given in another file, too")
            places[name] = path, lines
            merged[name] = max(merged.get(name, 0), value) if name == "version" else value
    if not merged:
        faults.append(f"{folder}: no reference files (*.toml) are there")
    if faults:
        raise SettingsError(faults)
    try:
        reference = Reference(msgspec.convert(merged, ReferenceData))
    except msgspec.ValidationError as error:
        raise SettingsError([_placed(folder, places, str(error))]) from None
    if faults := [_placed(folder, places, fault) for fault in inconsistencies(reference)]:
        raise SettingsError(faults)
    return reference


def _placed(folder: Path, places: dict[str, tuple[Path, dict[str, int]]], fault: str) -> str:
    """The fault with the file and line of the place that it names."""
    for name, (path, lines) in places.items():
        if fault.startswith((f"{name}[", f"{name}:")) or f"`$.{name}" in fault:
            return f"{path}:{line_of_fault(lines, fault)}: {fault}"
    return f"{folder}: {fault}"
