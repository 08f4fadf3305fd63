"""system_apis: the texts of the SOQL queries.

Names in them are constants or come from the profile, whose schema checks their shape; values are quoted.
"""
# ruff: noqa: S608 - SOQL has no parameters

import datetime as dt
from collections.abc import Iterable

from system_apis.vendors.salesforce.settings.maps import Maps

_STAMPS = ("Id", "SystemModstamp", "LastModifiedDate")
_OPPORTUNITY = (
    *_STAMPS,
    "Name",
    "StageName",
    "IsWon",
    "IsClosed",
    "CloseDate",
    "AccountId",
    "Amount",
    "Probability",
    "Owner.Name",
    "Owner.Email",
)
_LINE = ("Id", "Name", "Description", "Quantity", "UnitPrice", "TotalPrice", "ProductCode", "ServiceDate")
_ACCOUNT = (
    *_STAMPS,
    "Name",
    "ParentId",
    "Industry",
    "Website",
    "Owner.Name",
    "BillingStreet",
    "BillingCity",
    "BillingState",
    "BillingPostalCode",
    "BillingCountry",
)
_COUNTRY_CODES = ("BillingStateCode", "BillingCountryCode")
_CONTACT = (*_STAMPS, "Name", "Email", "Phone", "Title")
_CHANGE = (*_STAMPS, "CreatedDate", "IsDeleted")
_STAGE_FLAGS = ("IsWon", "IsClosed", "LastStageChangeDate")
_MERGER = ("MasterRecordId",)

Place = tuple[dt.datetime, str]  # a record's SystemModstamp and its id


def custom(struct: object, names: Iterable[str]) -> list[str]:
    """The field names that a part of the profile states."""
    return [field for name in names if (field := getattr(struct, name))]


def opportunities(maps: Maps, where: str, *, limit: int | None = None) -> str:
    """Opportunities with their lines and, where the org has them, their team members."""
    fields = maps.fields.opportunity
    columns = [
        *_OPPORTUNITY,
        *_currency(maps),
        *custom(fields, fields.__struct_fields__),
        *maps.required_custom.opportunity,
        f"(SELECT {', '.join(_LINE)} FROM OpportunityLineItems ORDER BY SortOrder, Id)",
    ]
    if maps.opportunity_team:
        columns.append("(SELECT TeamMemberRole, User.Name, User.Email FROM OpportunityTeamMembers)")
    return _select(columns, "Opportunity", where, limit)


def accounts(maps: Maps, where: str, *, limit: int | None = None) -> str:
    fields = maps.fields.customer
    columns = [
        *_ACCOUNT,
        *_currency(maps),
        *(_COUNTRY_CODES if maps.country_codes else ()),
        *custom(fields, fields.__struct_fields__),
    ]
    return _select(columns, "Account", where, limit)


def merged(where: str) -> str:
    return f"SELECT Id, MasterRecordId FROM Account WHERE {where}"


def contacts(where: str, *, limit: int | None = None) -> str:
    return _select(_CONTACT, "Contact", where, limit)


def changed(sobject: str, where: str, *, limit: int | None = None) -> str:
    """The rows of the poll, oldest change first."""
    flags = _STAGE_FLAGS if sobject == "Opportunity" else _MERGER
    return _select((*_CHANGE, *flags), sobject, where, limit)


def newest(sobject: str) -> str:
    """The record that changed last."""
    return f"SELECT {', '.join(_CHANGE)} FROM {sobject} ORDER BY SystemModstamp DESC, Id DESC LIMIT 1"


STAGES = "SELECT MasterLabel, ApiName, IsWon, IsClosed FROM OpportunityStage"
ORGANIZATION = "SELECT Id, Name, OrganizationType, IsSandbox FROM Organization"


def by_id(record_id: str) -> str:
    return f"Id = {quoted(record_id)}"


def by_ids(record_ids: Iterable[str]) -> str:
    return f"Id IN ({', '.join(map(quoted, record_ids))})"


def since(instant: dt.datetime | None) -> str:
    """Changed at the instant or after."""
    return f"SystemModstamp >= {_instant(instant)}" if instant else ""


def after(place: Place | None) -> str:
    """Beyond a place in the order of change; the id breaks ties, since many records share a stamp."""
    if place is None:
        return ""
    at = _instant(place[0])
    return f"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {quoted(place[1])}))"


def both(*conditions: str) -> str:
    return " AND ".join(filter(None, conditions))


def quoted(text: str) -> str:
    """A string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _instant(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _currency(maps: Maps) -> tuple[str, ...]:
    return () if maps.currency else ("CurrencyIsoCode",)


def _select(columns: Iterable[str], sobject: str, where: str, limit: int | None) -> str:
    unique = dict.fromkeys(columns)  # a profile may name one field twice; Salesforce refuses that
    query = f"SELECT {', '.join(unique)} FROM {sobject}"
    query += f" WHERE {where}" if where else ""
    query += " ORDER BY SystemModstamp, Id"
    return query + (f" LIMIT {limit}" if limit else "")
