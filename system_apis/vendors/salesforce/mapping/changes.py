"""system_apis: Salesforce's changes, from a stream or from a poll, as canonical events. Pure.

Stream and poll report the same change under the same dedupe id, because both use the record's own instant
(in whole seconds, as records have no more). A win has the instant of the stage's change, so that a poll
reports a lost win even when the deal was edited afterwards; a deal won again is another win.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from contracts.events.kinds import CUSTOMER_CHANGED, OPPORTUNITY_CHANGED, OPPORTUNITY_WON, RecordChanged
from system_apis.connector.change import Change
from system_apis.connector.crm import canonical_names
from system_apis.connector.values import utc
from system_apis.platforms.salesforce_org.change_events import ChangeEvent
from system_apis.platforms.salesforce_org.values import moment
from system_apis.vendors.salesforce.profile import SalesforceProfile
from system_apis.vendors.salesforce.records import DealChange

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


def from_record(profile: SalesforceProfile, sobject: SObject, record: DealChange) -> list[Change]:
    """The last change of a record by its present state, and its win even when it was edited later."""
    modified = utc(record.last_modified_date)
    if record.is_deleted:
        return [_deleted(sobject, record.id, utc(record.system_modstamp), profile)]
    if not (record.is_won and record.is_closed):
        return [_changed(sobject, record.id, modified, profile)]
    won = utc(record.last_stage_change_date or record.created_date)
    changes = [_won(record.id, won, profile)]
    if _second(won) != _second(modified):
        changes.append(_changed(sobject, record.id, modified, profile))
    return changes


def from_event(
    profile: SalesforceProfile, sobject: SObject, event: ChangeEvent, *, won: bool
) -> list[Change]:
    """The changes of an event with data, one for each of its records; `won`: its stage is a won one."""
    header, payload = event.header, event.payload
    committed = dt.datetime.fromtimestamp(header.commit_timestamp / 1000, dt.UTC)
    modified = moment(payload.get("LastModifiedDate")) or committed
    if header.change_type == "DELETE":
        return [
            _deleted(sobject, record_id, committed, profile, by_us=event.by_us)
            for record_id in header.record_ids
        ]
    staged = sobject == "Opportunity" and (event.created or "StageName" in event.names)
    if staged and won:
        # LastStageChangeDate is empty on a deal that was created as won.
        at = moment(payload.get("LastStageChangeDate")) or modified
        return [_won(record_id, at, profile, by_us=event.by_us) for record_id in header.record_ids]
    fields = () if event.created else changed_fields(sobject, event.names, profile)
    return [
        _changed(sobject, record_id, modified, profile, fields=fields, by_us=event.by_us)
        for record_id in header.record_ids
    ]


def changed_fields(sobject: SObject, names: Sequence[str], profile: SalesforceProfile) -> tuple[str, ...]:
    """Our names of the org's fields."""
    fields = profile.fields.opportunity if sobject == "Opportunity" else profile.fields.customer
    return canonical_names(names, _STANDARD[sobject], fields)


def _won(record_id: str, at: dt.datetime, profile: SalesforceProfile, *, by_us: bool = False) -> Change:
    change = RecordChanged(
        instance=profile.name,
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
    profile: SalesforceProfile,
    *,
    fields: tuple[str, ...] = (),
    by_us: bool = False,
) -> Change:
    name = _OBJECTS[sobject]
    change = RecordChanged(
        instance=profile.name, object=name, id=record_id, fields=fields, changed_at=at, by_us=by_us
    )
    return Change(f"{name}:{record_id}:{_second(at)}", _CHANGED[sobject], change, at)


def _deleted(
    sobject: SObject, record_id: str, at: dt.datetime, profile: SalesforceProfile, *, by_us: bool = False
) -> Change:
    name = _OBJECTS[sobject]
    change = RecordChanged(
        instance=profile.name,
        object=name,
        id=record_id,
        values={"deleted": "true"},
        changed_at=at,
        by_us=by_us,
    )
    return Change(f"{name}:{record_id}:deleted:{_second(at)}", _CHANGED[sobject], change, at)


def _second(at: dt.datetime) -> int:
    return int(at.timestamp())
