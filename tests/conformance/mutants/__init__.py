"""tests/conformance: adapters that are broken on purpose, as data; each must fail the suites."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One broken adapter: what `breaks`, `on` which noun, operation or kind, and the suites that must see it.

    `field` is the path of a field, or an argument's name; `value` what the break needs beside it. One of an
    optional `feature` is not seen at a vendor that lacks it.
    """

    name: str
    breaks: str
    on: str
    by: tuple[str, ...]
    field: str = ""
    value: Any = None
    needs: str = ""
    feature: str = ""


def mutants_of(capability: str) -> list[Mutant]:
    """The capability's own, and those that fit any."""
    return [mutant for name in (capability, "any") for mutant in _read(name)]


def _read(name: str) -> list[Mutant]:
    rows = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["mutant"]
    return msgspec.convert(rows, list[Mutant])
