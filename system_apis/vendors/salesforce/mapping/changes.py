"""system_apis: Salesforce's changes, from a stream or from a poll, as canonical events. Pure.

Stream and poll report the same change under the same dedupe id, because both use the record's own instant
(in whole seconds, as records have no more). A win has the instant of the stage's change, so that a poll
reports a lost win even when the deal was edited afterwards; a deal won again is another win.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from contracts.events.kinds import CUSTOMER_CHANGED, OPPORTUNITY_CHANGED, OPPORTUNITY_WON, RecordChanged
from system_apis.connector.change import Change
from system_apis.connector.crm import canonical_names
from system_apis.connector.values import utc
from system_apis.platforms.salesforce_org.change_events import ChangeEvent
from system_apis.platforms.salesforce_org.values import moment
from system_apis.vendors.salesforce.profile import SalesforceProfile
from system_apis.vendors.salesforce.records import SalesChange

SObject = Literal["Opportunity", "Account"]
SOBJECTS: tuple[SObject, ...] = ("Opportunity", "Account")
OBJECTS = {
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


def from_record(
    profile: SalesforceProfile, sobject: SObject, record: SalesChange, content: str
) -> list[Change]:
    """The last change of a record by its present state, and its win even when it was edited later."""
    modified = utc(record.last_modified_date)
    if record.is_deleted:
        at, into = utc(record.system_modstamp), record.master_record_id or ""
        return [_deleted(profile, sobject, record.id, at, merged_into=into)]
    changed = _change(profile, sobject, record.id, modified)._replace(content=content)
    if not (record.is_won and record.is_closed):
        return [changed]
    won = utc(record.last_stage_change_date or record.created_date)
    return [_won(profile, record.id, won), *([changed] if _second(won) != _second(modified) else [])]


def from_event(
    profile: SalesforceProfile, sobject: SObject, event: ChangeEvent, merged: Mapping[str, str], *, won: bool
) -> list[Change]:
    """The changes of an event with data, one for each of its records; `won`: its stage is a won one.

    `merged` maps a record that a merger deleted to the one that remains, which the event does not name.
    """
    header, payload, ours = event.header, event.payload, {"by_us": event.by_us}
    committed = dt.datetime.fromtimestamp(header.commit_timestamp / 1000, dt.UTC)
    modified = moment(payload.get("LastModifiedDate")) or committed
    if header.change_type == "DELETE":
        return [
            _deleted(profile, sobject, each, committed, merged_into=merged.get(each, ""), **ours)
            for each in header.record_ids
        ]
    more: dict[str, Any] = {} if event.created else {"fields": changed_fields(sobject, event.names, profile)}
    if header.change_type == "UNDELETE" and sobject == "Account":
        more = {"mark": "restored", "kind": "restored"}
    staged = sobject == "Opportunity" and (event.created or "StageName" in event.names)
    if staged and won:
        # LastStageChangeDate is empty on a deal that was created as won.
        at = moment(payload.get("LastStageChangeDate")) or modified
        return [_won(profile, record_id, at, **ours) for record_id in header.record_ids]
    return [_change(profile, sobject, each, modified, **ours, **more) for each in header.record_ids]


def changed_fields(sobject: SObject, names: Sequence[str], profile: SalesforceProfile) -> tuple[str, ...]:
    """Our names of the org's fields."""
    fields = profile.fields.opportunity if sobject == "Opportunity" else profile.fields.customer
    return canonical_names(names, _STANDARD[sobject], fields)


def _won(profile: SalesforceProfile, record_id: str, at: dt.datetime, *, by_us: bool = False) -> Change:
    stage: dict[str, Any] = {"fields": ("stage",), "values": {"stage": "won"}}
    won = _change(profile, "Opportunity", record_id, at, mark="won", by_us=by_us, **stage)
    return won._replace(type=OPPORTUNITY_WON)


def _deleted(
    profile: SalesforceProfile,
    sobject: SObject,
    record_id: str,
    at: dt.datetime,
    *,
    by_us: bool = False,
    merged_into: str = "",
) -> Change:
    kind = "merged" if merged_into else "deleted"
    more: dict[str, Any] = {"kind": kind, "merged_into": merged_into, "by_us": by_us}
    return _change(profile, sobject, record_id, at, mark="deleted", **more)


def _change(
    profile: SalesforceProfile,
    sobject: SObject,
    record_id: str,
    at: dt.datetime,
    *,
    mark: str = "",
    **more: Any,
) -> Change:
    """A change; the mark distinguishes what is not an edit."""
    name = OBJECTS[sobject]
    change = RecordChanged(profile.name, name, record_id, changed_at=at, **more)
    parts = (name, record_id, mark, str(_second(at)))
    return Change(":".join(filter(None, parts)), _CHANGED[sobject], change, at)


def _second(at: dt.datetime) -> int:
    return int(at.timestamp())
