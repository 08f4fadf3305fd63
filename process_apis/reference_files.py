"""Reference files: the firm's versioned TOML files, read together and refused together."""

from pathlib import Path
from typing import Any

import msgspec

from contracts.canonical.reference import ReferenceData
from kit.settings import SettingsError, line_of_fault, read_text, toml_of
from kit.toml_lines import lines_of
from process_apis.reference import Reference, inconsistencies


def read(folder: Path) -> Reference:
    """The reference data of a folder's TOML files; raises SettingsError with every fault."""
    merged: dict[str, Any] = {}
    places: dict[str, tuple[Path, dict[str, int]]] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            text = read_text(path)
            part, lines = toml_of(text, str(path)), lines_of(text)
        except SettingsError as error:
            faults += error.faults
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
