"""system_apis: conversions between NetSuite's values and ours. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.canonical.values import Ref
from system_apis.connector.codes import Codes
from system_apis.connector.custom_values import CustomValues
from system_apis.connector.custom_values import custom_fields as required_fields
from system_apis.connector.erp import coded, id_of
from system_apis.connector.refusals import unmapped
from system_apis.connector.values import refs, whole_number_ids
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import NetSuiteReference, Raw

_PAGES = {
    "customer": "/app/common/entity/custjob.nl?id=",
    "contract": "/app/accounting/transactions/salesord.nl?id=",
}
_REFERENCES = frozenset(
    ("entity", "subsidiary", "currency", "terms", "parent", "entitystatus", "creditholdoverride")
)
canonical_id = whole_number_ids("NetSuite")


def point(ident: str) -> dict[str, str]:
    """A reference as a request writes it."""
    return {"id": ident}


def to_id(profile: NetSuiteProfile, table: str, code: str, place: str) -> dict[str, str]:
    return point(id_of(profile, table, code, place))


def to_code(codes: Codes, reference: NetSuiteReference | None) -> str:
    return coded(codes, reference.id if reference else None)


def currency_of(profile: NetSuiteProfile, reference: NetSuiteReference | None) -> str:
    """The currency's code; without the feature Multiple Currencies no record names one."""
    return profile.currency if reference is None else to_code(profile.currencies, reference)


def text_of(raw: Mapping[str, Any], field: str) -> str:
    """A field of the account's own, as text, a list value by what is seen; rows have lower-case names."""
    value = raw.get(field, raw.get(field.lower())) if field else None
    if isinstance(value, dict):
        value = value.get("refName", value.get("id"))
    return "" if value is None else str(value)


def refs_of(profile: NetSuiteProfile, noun: str, ident: str, external_id: str) -> tuple[Ref, ...]:
    """The record itself with its page, and the key under which it was created."""
    return refs(profile.name, noun, ident, f"{profile.connection.app_url}{_PAGES[noun]}{ident}", external_id)


def custom_fields(
    wanted: CustomValues, draft: msgspec.Struct, given: Mapping[str, str], profile: NetSuiteProfile
) -> Raw:
    """The account's own fields: those that the profile requires, and those that the caller named."""
    for name in given:
        if not name.startswith("cust"):
            sentence = f"{name!r} is no custom field of NetSuite"
            raise unmapped(sentence, f"custom/{name}", profile.name, fixed_by="caller")
    return required_fields(wanted, draft, profile.name) | dict(given)


def column(name: str, value: Any) -> Any:
    """A column of SuiteQL as the record API has it."""
    if name in _REFERENCES:
        return {"id": value}
    if name == "status":
        return {"id": str(value)[-1:]}  # as in SalesOrd:B
    return value == "T" if name == "isinactive" else value
