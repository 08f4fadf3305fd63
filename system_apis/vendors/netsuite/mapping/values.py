"""system_apis: conversions between NetSuite's values and ours. Pure."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.canonical.values import Ref
from contracts.problems import Fault, VendorRejected
from system_apis.connector.codes import code_of, inverse
from system_apis.connector.custom_values import CustomValues
from system_apis.connector.custom_values import custom_fields as required_fields
from system_apis.connector.refusals import unmapped
from system_apis.connector.values import whole_number_ids
from system_apis.vendors.netsuite.profile import Ids, NetSuiteProfile
from system_apis.vendors.netsuite.records import NetSuiteReference, Raw

_PAGES = {
    "customer": "/app/common/entity/custjob.nl?id=",
    "contract": "/app/accounting/transactions/salesord.nl?id=",
}
EXTERNAL_ID = "external_id"
canonical_id = whole_number_ids("NetSuite")


def point(ident: str) -> dict[str, str]:
    """A reference as a request writes it."""
    return {"id": ident}


def to_id(profile: NetSuiteProfile, table: str, code: str, field: str) -> dict[str, str]:
    """The vendor's record for one of our codes; raises VendorRejected where the profile has none."""
    ident = inverse(getattr(profile, table)).get(code)
    if ident is None:
        sentence = f"the profile of {profile.name} does not map {code!r} to a record of NetSuite"
        raise unmapped(sentence, field, profile.name)
    return point(ident)


def to_code(ids: Ids, reference: NetSuiteReference | None) -> str:
    """Our code for one of the vendor's records; empty where the profile has none."""
    return code_of(ids, reference.id) if reference and ids else ""


def text_of(raw: Mapping[str, Any], field: str) -> str:
    """A field of the account's own, as text, a list value by what is seen; rows have lower-case names."""
    value = raw.get(field, raw.get(field.lower())) if field else None
    if isinstance(value, dict):
        value = value.get("refName", value.get("id"))
    return "" if value is None else str(value)


def instant_of(column: str, zone: dt.tzinfo) -> dt.datetime:
    """An instant as our queries format it, by the clock of the zone in which SuiteQL answers.

    In the hour that comes twice when summer time ends it is the first of the two.
    """
    return dt.datetime.strptime(column, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone).astimezone(dt.UTC)


def refs_of(profile: NetSuiteProfile, noun: str, ident: str, external_id: str) -> tuple[Ref, ...]:
    """The record itself with its page, and the key under which it was created."""
    own = Ref(profile.name, noun, ident, f"{profile.connection.app_url}{_PAGES[noun]}{ident}")
    return (own, Ref(profile.name, EXTERNAL_ID, external_id)) if external_id else (own,)


def custom_fields(
    wanted: CustomValues, draft: msgspec.Struct, given: Mapping[str, str], profile: NetSuiteProfile
) -> Raw:
    """The account's own fields: those that the profile requires, and those that the caller named."""
    for name in given:
        if not name.startswith("cust"):
            raise VendorRejected(
                f"{name!r} is no custom field of NetSuite",
                instance=profile.name,
                errors=[Fault(f"/custom/{name}", "no custom field's name", "unmapped", fixed_by="caller")],
            )
    return required_fields(wanted, draft, profile.name) | dict(given)
