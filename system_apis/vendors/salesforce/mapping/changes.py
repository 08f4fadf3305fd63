"""system_apis: Salesforce's changes, from a stream or from a poll, as canonical events. Pure.

Stream and poll report the same change under the same dedupe id, because both use the record's own instant
(in whole seconds, as records have no more). A win has the instant of the stage's change, so that a poll
reports a lost win even when the deal was edited afterwards; a deal won again is another win.
"""

import datetime as dt
from collections.abc import Container, Mapping, Sequence
from typing import Any, Literal

from contracts.events.kinds import CUSTOMER_CHANGED, OPPORTUNITY_CHANGED, OPPORTUNITY_WON, RecordChanged
from system_apis.connector.change import Change
from system_apis.vendors.salesforce.mapping.values import instant
from system_apis.vendors.salesforce.records import ChangeEventHeader, ChangeRecord
from system_apis.vendors.salesforce.settings.maps import Maps

SObject = Literal["Opportunity", "Account"]
SOBJECTS: tuple[SObject, ...] = ("Opportunity", "Account")
_OBJECTS: dict[str, Literal["opportunity", "customer"]] = {
    "Opportunity": "opportunity",
    "Account": "customer",
}
_CHANGED = {"Opportunity": OPPORTUNITY_CHANGED, "Account": CUSTOMER_CHANGED}
_STANDARD = {
    "Opportunity": {
        "Name": "name",
        "StageName": "stage",
        "Amount": "amount",
        "Probability": "probability",
        "CloseDate": "close_date",
        "AccountId": "customer_id",
        "OwnerId": "account_team",
    },
    "Account": {
        "Name": "legal_name",
        "ParentId": "parent_id",
        "Industry": "industry",
        "Website": "website",
        "CurrencyIsoCode": "currency",
        "OwnerId": "account_owner",
        "BillingAddress": "billing_address",
    },
}


# What the profile calls by its part, and the nouns by the whole.
_CANONICAL = {
    "tax_number": "tax_registrations",
    "project_id": "project_ref",
    "project_url": "project_ref",
    "project_status": "project_ref",
}


def from_record(sobject: SObject, record: ChangeRecord, maps: Maps) -> list[Change]:
    """The last change of a record by its present state, and its win even when it was edited later."""
    modified = instant(record.last_modified_date)
    if record.is_deleted:
        at, into = instant(record.system_modstamp), record.master_record_id or ""
        return [_deleted(sobject, record.id, at, maps, merged_into=into)]
    if not (record.is_won and record.is_closed):
        return [_changed(sobject, record.id, modified, maps)]
    won = instant(record.last_stage_change_date or record.created_date)
    changes = [_won(record.id, won, maps)]
    if _second(won) != _second(modified):
        changes.append(_changed(sobject, record.id, modified, maps))
    return changes


def from_event(
    sobject: SObject,
    header: ChangeEventHeader,
    payload: dict[str, Any],
    names: Sequence[str],
    won_stages: Container[str],
    maps: Maps,
    client_name: str,
    merged: Mapping[str, str],
) -> list[Change]:
    """The changes of an event with data, one for each of its records; `names` are the changed fields.

    `merged` maps a record that a merger deleted to the one that remains, which the event does not name.
    """
    committed = dt.datetime.fromtimestamp(header.commit_timestamp / 1000, dt.UTC)
    by_us = f"client={client_name}" in header.change_origin.split(";")
    modified = _moment(payload.get("LastModifiedDate")) or committed
    if header.change_type == "DELETE":
        return [
            _deleted(sobject, each, committed, maps, by_us=by_us, merged_into=merged.get(each, ""))
            for each in header.record_ids
        ]
    if header.change_type == "UNDELETE" and sobject == "Account":
        return [_restored(record_id, modified, maps, by_us=by_us) for record_id in header.record_ids]
    created = header.change_type in ("CREATE", "UNDELETE")
    staged = sobject == "Opportunity" and (created or "StageName" in names)
    if staged and payload.get("StageName", "") in won_stages:
        # LastStageChangeDate is empty on a deal that was created as won.
        at = _moment(payload.get("LastStageChangeDate")) or modified
        return [_won(record_id, at, maps, by_us=by_us) for record_id in header.record_ids]
    fields = () if created else canonical_names(sobject, names, maps)
    return [
        _changed(sobject, record_id, modified, maps, fields=fields, by_us=by_us)
        for record_id in header.record_ids
    ]


def canonical_names(sobject: SObject, names: Sequence[str], maps: Maps) -> tuple[str, ...]:
    """Our names of the org's fields; a field that we do not read has none."""
    part = maps.fields.opportunity if sobject == "Opportunity" else maps.fields.customer
    custom = {
        getattr(part, name): _CANONICAL.get(name, name)
        for name in part.__struct_fields__
        if getattr(part, name)
    }
    known = {**_STANDARD[sobject], **custom}
    # A compound field names its part, as in BillingAddress.City.
    fields = (known.get(name) or known.get(name.partition(".")[0]) for name in names)
    return tuple(dict.fromkeys(name for name in fields if name))


def changed_names(bitmaps: Sequence[str], schema: Mapping[str, Any]) -> list[str]:
    """The fields that a change event's bitmaps mark, by their order in its Avro schema.

    `0x…` marks the record's fields, `7-0x…` those of the compound field at position 7.
    """
    names: list[str] = []
    for bitmap in bitmaps:
        place, nested, bits = bitmap.rpartition("-")
        if not nested:
            names += _marked(bits, schema["fields"])
            continue
        parent = schema["fields"][int(place)]
        names += [f"{parent['name']}.{name}" for name in _marked(bits, _record_of(parent["type"])["fields"])]
    return names


def _marked(bits: str, fields: Sequence[Mapping[str, Any]]) -> list[str]:
    number = int(bits, 16)
    return [field["name"] for place, field in enumerate(fields) if number >> place & 1]


def _record_of(kind: Any) -> Mapping[str, Any]:
    """The record among the alternatives of an optional compound field."""
    for alternative in kind if isinstance(kind, list) else [kind]:
        if isinstance(alternative, dict) and "fields" in alternative:
            return alternative
    raise ValueError("a bitmap marks parts of a field that has none")


def _won(record_id: str, at: dt.datetime, maps: Maps, *, by_us: bool = False) -> Change:
    change = RecordChanged(
        instance=maps.instance,
        object="opportunity",
        id=record_id,
        fields=("stage",),
        values={"stage": "won"},
        changed_at=at,
        by_us=by_us,
    )
    return Change(f"opportunity:{record_id}:won:{_second(at)}", OPPORTUNITY_WON, change, at)


def _changed(
    sobject: SObject,
    record_id: str,
    at: dt.datetime,
    maps: Maps,
    *,
    fields: tuple[str, ...] = (),
    by_us: bool = False,
) -> Change:
    name = _OBJECTS[sobject]
    change = RecordChanged(
        instance=maps.instance, object=name, id=record_id, fields=fields, changed_at=at, by_us=by_us
    )
    return Change(f"{name}:{record_id}:{_second(at)}", _CHANGED[sobject], change, at)


def _restored(record_id: str, at: dt.datetime, maps: Maps, *, by_us: bool) -> Change:
    change = RecordChanged(maps.instance, "customer", record_id, changed_at=at, by_us=by_us, kind="restored")
    return Change(f"customer:{record_id}:restored:{_second(at)}", CUSTOMER_CHANGED, change, at)


def _deleted(
    sobject: SObject,
    record_id: str,
    at: dt.datetime,
    maps: Maps,
    *,
    by_us: bool = False,
    merged_into: str = "",
) -> Change:
    name = _OBJECTS[sobject]
    change = RecordChanged(
        instance=maps.instance,
        object=name,
        id=record_id,
        kind="merged" if merged_into else "deleted",
        merged_into=merged_into,
        changed_at=at,
        by_us=by_us,
    )
    return Change(f"{name}:{record_id}:deleted:{_second(at)}", _CHANGED[sobject], change, at)


def _second(at: dt.datetime) -> int:
    return int(at.timestamp())


def _moment(value: Any) -> dt.datetime | None:
    """An instant of an event's payload: milliseconds of the epoch, with or without a logical type."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC)
    if isinstance(value, int):
        return dt.datetime.fromtimestamp(value / 1000, dt.UTC)
    return instant(value) if isinstance(value, str) else None
