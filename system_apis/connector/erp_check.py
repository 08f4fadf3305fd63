"""system_apis: the steps of a check that every ERP's profile needs: its records by id, and its own fields."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from contracts.system.instance import Finding
from system_apis.connector.checks import CheckStep, Field, Fixes, Wanted, field_finding
from system_apis.connector.codes import Codes
from system_apis.connector.custom_values import CustomValues, Kind, custom_value
from system_apis.connector.erp import TABLES, ErpProfile
from system_apis.connector.findings import judged

ReadNames = Callable[[str, Codes], Awaitable[Mapping[str, str]]]
"""The names of a record type's records by their ids, for those that exist."""

_FIXES = Fixes(
    absent="create the field and show it to the integration, or remove it from the profile",
    type="correct the kind in the profile, or the field's type",
)


def reference_steps(profile: ErpProfile, read: ReadNames, records: Mapping[str, str]) -> Iterator[CheckStep]:
    """Each record that the profile names by its id must exist; `records` has the vendor's types by table."""

    async def probe(record: str, codes: Codes) -> list[Finding]:
        names = await read(record, codes)
        return [_reference(record, ident, code, names) for ident, code in codes.items()]

    for table in TABLES:
        if codes := getattr(profile, table):
            fix = f"let the role read {records[table]}"
            yield CheckStep("reference", records[table], partial(probe, records[table], codes), fix)


def _reference(record: str, ident: str, code: str | tuple[str, ...], names: Mapping[str, str]) -> Finding:
    codes = code if isinstance(code, str) else ", ".join(code)
    detail, fix = names.get(ident, "there is no such record"), f"correct the id of {codes} in the profile"
    return judged("reference", f"{record} {ident} ({codes})", detail, ok=ident in names, fix=fix)


def field_findings(
    profile: ErpProfile,
    shapes: Mapping[str, tuple[str, Mapping[str, str]]],
    types: Mapping[Kind, Collection[str]],
) -> Iterator[Finding]:
    """Each field of the profile must exist and be of its kind.

    `shapes` has the vendor's name of each record with its fields' types, `types` those of each kind.
    """
    named = {part: getattr(profile.fields, part, None) for part in profile.required_custom.__struct_fields__}
    for part, fields in named.items():
        own = dict.fromkeys(fields.named().values(), "text") if fields else {}
        wanted: CustomValues = own | getattr(profile.required_custom, part)
        place, shape = shapes[part]
        for name, value in wanted.items():
            field = Field(shape[name]) if name in shape else None
            kind = custom_value(value).kind
            yield field_finding(Wanted(place, name, types=types[kind]), field, _FIXES)


def schema_types(schemas: Mapping[str, Any], kind: str, *path: str) -> dict[str, str]:
    """The types of a record's fields by its JSON schema, or of those of the lines of one of its lists."""
    shape: Mapping[str, Any] = schemas.get(kind, {})
    for name in path:
        shape = shape.get("properties", {}).get(name, {})
    fields: Mapping[str, Any] = shape.get("items", shape).get("properties", {})
    return {name: str(field.get("type")) for name, field in fields.items()}
