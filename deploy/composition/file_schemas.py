"""deploy: JSON Schemas of the configuration's files, by which editors complete and check them.

Made from the Structs that read the files (JSON Schema 2020-12; TOML editors such as Taplo take them).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from contracts.canonical.reference import ReferenceData
from contracts.duties import Duties
from contracts.routing import Routing
from deploy.composition.settings_page import FILES
from gateway.identity.issuing.personas import People
from system_apis.app import connector_of

SCHEMAS = "schemas"
"""The folder of the schemas, beside the files."""

_REFERENCE = "reference.json"
_NAMES = FILES | {"duties.toml": Duties, "routing.toml": Routing, "people.toml": People}


def schemas(vendors: list[str]) -> dict[str, dict[str, Any]]:
    """Every schema by its file name, those of these vendors' profiles among them."""
    of_files = {_schema_name(file): _schema(kind) for file, kind in _NAMES.items()}
    of_profiles = {_profile_name(vendor): _schema(connector_of(vendor).profile) for vendor in vendors}
    return of_files | of_profiles | {_REFERENCE: _partial(_schema(ReferenceData))}


def schema_of(path: Path, vendor: str = "") -> str:
    """The address of a file's schema, relative to the file; `path` is relative to the folder."""
    if path.parent.name == "reference":
        name = _REFERENCE
    else:
        name = _profile_name(vendor) if path.parent.name == "instances" else _schema_name(path.name)
    up = "../" * (len(path.parts) - 1)
    return f"{up}{SCHEMAS}/{name}"


def _schema_name(file: str) -> str:
    return f"{Path(file).stem}.json"


def _profile_name(vendor: str) -> str:
    return f"instance-{vendor}.json"


def _schema(kind: Any) -> dict[str, Any]:
    if isinstance(kind, Mapping):
        kind = msgspec.defstruct("Sections", [(name, each | None, None) for name, each in kind.items()])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(kind)}


def _partial(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of one file of several that together are the whole."""
    whole = schema["$ref"].rpartition("/")[2]
    of_whole = {name: value for name, value in schema["$defs"][whole].items() if name != "required"}
    return {**schema, "$defs": {**schema["$defs"], whole: of_whole}}
