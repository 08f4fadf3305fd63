"""system_apis: a Salesforce org's changes: its event streams, and the poll that finds what they lost."""

from functools import partial
from typing import Any

from system_apis.connector import ChangeSource
from system_apis.connector.change import Change
from system_apis.platforms.salesforce_org.change_events import ChangeEvent
from system_apis.platforms.salesforce_org.changed_records import ChangedRecords, SObject, poll
from system_apis.platforms.salesforce_org.events import Events
from system_apis.platforms.salesforce_org.records import Stamped
from system_apis.platforms.salesforce_org.stream import Stream
from system_apis.vendors.salesforce.client import SalesforceClient, queries
from system_apis.vendors.salesforce.mapping.changes import OBJECTS, SOBJECTS, from_event, from_record
from system_apis.vendors.salesforce.profile import SalesforceProfile
from system_apis.vendors.salesforce.records import AccountRecord, OpportunityRecord, SalesChange

_COLUMNS = {"Opportunity": ("LastStageChangeDate",), "Account": ("MasterRecordId",)}
_WHOLE: dict[str, type[Stamped]] = {"Opportunity": OpportunityRecord, "Account": AccountRecord}


def sources(profile: SalesforceProfile, client: SalesforceClient, events: Events) -> tuple[ChangeSource, ...]:
    """What watches the org."""
    stages, records = Stages(client), dict[str, ChangedRecords]()
    for name in SOBJECTS:
        columns = (*_COLUMNS[name], *queries.watched(profile)[name])
        changed = partial(from_record, profile, name)
        sobject = SObject(name, OBJECTS[name], SalesChange, _WHOLE[name], columns, changed)
        records[name] = ChangedRecords(client, sobject, profile.changes.page_size)

    async def changes(sobject: Any, event: ChangeEvent) -> list[Change]:
        won = await stages.is_won(event.payload.get("StageName"))
        return from_event(profile, sobject, event, await merged(sobject, event), won=won)

    async def merged(sobject: Any, event: ChangeEvent) -> dict[str, str]:
        """The remaining account of each merged one; the event of its deletion does not name it."""
        if event.header.change_type != "DELETE" or sobject != "Account":
            return {}
        return {each: await client.merged_into(each) for each in event.header.record_ids}

    watched = records.items() if profile.changes.stream else ()
    streams = [Stream(profile, events, name, each, partial(changes, name)) for name, each in watched]
    return (*streams, poll(profile, records))


class Stages:
    """Which of the org's stages are won: read once, and again for a stage that an administrator added."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._won: frozenset[str] = frozenset()
        self._known: frozenset[str] = frozenset()

    async def is_won(self, stage: Any) -> bool:
        if not isinstance(stage, str):
            return False
        if stage not in self._known:
            rows = await self._client.stages()
            won = (row for row in rows if row.is_won and row.is_closed)
            self._won = frozenset(name for row in won for name in (row.master_label, row.api_name) if name)
            # A stage may be any text: one that the table lacks is remembered, too, and is not won.
            self._known |= {stage, *(row.api_name or row.master_label for row in rows)}
        return stage in self._won
