"""system_apis: the texts of SOQL queries.

Names in them are constants or come from the profile, whose schema checks their shape; values are quoted.
"""
# ruff: noqa: S608 - SOQL has no parameters

import datetime as dt
from collections.abc import Iterable

STAMPS = ("Id", "SystemModstamp", "LastModifiedDate")
_CHANGE = (*STAMPS, "CreatedDate", "IsDeleted")

ORGANIZATION = "SELECT Id, Name, OrganizationType, IsSandbox, TimeZoneSidKey FROM Organization"
CORPORATE_CURRENCY = "SELECT Id, IsoCode FROM CurrencyType WHERE IsCorporate = true"

Place = tuple[dt.datetime, str]  # a record's SystemModstamp and its id


def select(columns: Iterable[str], sobject: str, where: str, *, limit: int | None = None) -> str:
    """Records by last change, oldest first."""
    unique = dict.fromkeys(columns)  # a profile may name one field twice; Salesforce refuses that
    query = f"SELECT {', '.join(unique)} FROM {sobject}"
    query += f" WHERE {where}" if where else ""
    query += " ORDER BY SystemModstamp, Id"
    return query + (f" LIMIT {limit}" if limit else "")


def changed(sobject: str, where: str, more: Iterable[str] = (), *, limit: int | None = None) -> str:
    """The rows of the poll, oldest change first; `more` are columns that show what happened."""
    return select((*_CHANGE, *more), sobject, where, limit=limit)


def newest(sobject: str) -> str:
    """The record that changed last."""
    return f"SELECT {', '.join(_CHANGE)} FROM {sobject} ORDER BY SystemModstamp DESC, Id DESC LIMIT 1"


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
