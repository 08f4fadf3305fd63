"""system_apis: conversions between NetSuite's values and ours."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from contracts.canonical.values import Ref
from contracts.problems import Fault, VendorRejected
from system_apis.vendors.netsuite.records import NetSuiteReference, Raw
from system_apis.vendors.netsuite.settings.maps import CustomValue, Maps

_PAGES = {
    "customer": "/app/common/entity/custjob.nl?id=",
    "contract": "/app/accounting/transactions/salesord.nl?id=",
}
EXTERNAL_ID = "external_id"


def point(ident: str) -> dict[str, str]:
    """A reference as a request writes it."""
    return {"id": ident}


def to_id(table: Mapping[str, str], code: str, *, field: str, maps: Maps) -> dict[str, str]:
    """The vendor's record for one of our codes; raises VendorRejected where the profile has none."""
    if code not in table:
        sentence = f"the profile of {maps.instance} does not map {code!r} to a record of NetSuite"
        raise unmapped(sentence, f"/{field}", field, maps)
    return point(table[code])


def unmapped(
    sentence: str, pointer: str, field: str, maps: Maps, fixed_by: str = "administrator"
) -> VendorRejected:
    """The refusal of a value for which there is no other: nothing is ever put in its place."""
    fault = Fault(pointer, sentence, "unmapped", field=field, fixed_by=fixed_by)
    return VendorRejected(sentence, instance=maps.instance, errors=(fault,))


def to_code(table: Mapping[str, str], reference: NetSuiteReference | str | None) -> str:
    """Our code for one of the vendor's records; empty where the profile has none."""
    ident = reference.id if isinstance(reference, NetSuiteReference) else reference
    return next((code for code, known in table.items() if known == ident), "") if ident else ""


def text_of(raw: Mapping[str, Any], field: str) -> str:
    """A field of the account's own, as text; a list value by what a person sees."""
    value = raw.get(field) if field else None
    if isinstance(value, dict):
        value = value.get("refName", value.get("id"))
    return "" if value is None else str(value)


def instant_of(column: str, zone: dt.tzinfo) -> dt.datetime:
    """An instant as our queries format it, by the clock of the zone in which SuiteQL answers.

    In the hour that comes twice when summer time ends it is the first of the two.
    """
    return dt.datetime.strptime(column, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).astimezone(dt.UTC)


def refs_of(maps: Maps, noun: str, ident: str, external_id: str) -> tuple[Ref, ...]:
    """The record itself with its page, and the key under which it was created."""
    own = Ref(maps.instance, noun, ident, f"{maps.ui_url}{_PAGES[noun]}{ident}")
    return (own, Ref(maps.instance, EXTERNAL_ID, external_id)) if external_id else (own,)


def custom_fields(
    wanted: Mapping[str, CustomValue], draft: msgspec.Struct, given: Mapping[str, str], maps: Maps
) -> Raw:
    """The account's own fields: those that the profile requires, and those that the caller named."""
    fields = {name: _custom(name, value, draft, maps) for name, value in wanted.items()}
    for name, value in given.items():
        if not name.startswith("cust"):
            raise VendorRejected(
                f"{name!r} is no custom field of NetSuite",
                instance=maps.instance,
                errors=[Fault(f"/custom/{name}", "no custom field's name", "unmapped", fixed_by="caller")],
            )
        fields[name] = value
    return fields


def _custom(name: str, wanted: CustomValue, draft: msgspec.Struct, maps: Maps) -> Any:
    text = wanted.value or _reach(draft, wanted.source)
    if wanted.map and text:
        if text not in wanted.map:
            sentence = f"the profile of {maps.instance} does not map {text!r} of NetSuite's field {name}"
            raise unmapped(sentence, f"/{name}", name, maps)
        text = wanted.map[text]
    try:
        match wanted.kind:
            case "reference":
                return point(text)
            case "number":
                return Decimal(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "text":
                return text
    except (InvalidOperation, KeyError):
        raise VendorRejected(
            f"NetSuite's field {name} of {maps.instance} needs a {wanted.kind}",
            instance=maps.instance,
            errors=[Fault(f"/{name}", f"needs a {wanted.kind}", "custom_field", fixed_by="administrator")],
        ) from None


def _reach(draft: Any, path: str) -> str:
    """A canonical field by its path, as text; empty where there is none."""
    for name in path.split("."):
        draft = draft.get(name) if isinstance(draft, dict) else getattr(draft, name, None)
        if draft is None:
            return ""
    return str(draft)
