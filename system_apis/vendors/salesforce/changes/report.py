"""system_apis: reports changes, for a Salesforce org's stream and poll."""

import datetime as dt
from collections.abc import AsyncIterator, Iterable

from system_apis.connector import Receive
from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import report
from system_apis.connector.paging import PageGuard
from system_apis.vendors.salesforce.client import SalesforceClient, soql
from system_apis.vendors.salesforce.client.soql import Place
from system_apis.vendors.salesforce.mapping.changes import SObject, from_record
from system_apis.vendors.salesforce.mapping.values import instant
from system_apis.vendors.salesforce.records import ChangeRecord
from system_apis.vendors.salesforce.settings import SalesforceProfile


class Reporter:
    """Reads changed records of one org and reports the changes."""

    def __init__(self, client: SalesforceClient, profile: SalesforceProfile) -> None:
        self.client = client
        self.profile = profile
        self.maps = profile.maps

    async def report(self, receive: Receive, changes: Iterable[Change]) -> None:
        for one in changes:
            await report(receive, one)

    async def report_records(self, receive: Receive, sobject: SObject, ids: Iterable[str]) -> None:
        """The changes that the present state of some records shows."""
        for row in await self.client.changed(sobject, soql.by_ids(ids)):
            await self.report(receive, self.found(sobject, row.record))

    async def sweep(self, sobject: SObject, where: str) -> AsyncIterator[list[ChangeRecord]]:
        """All that changed within a condition, page by page, oldest change first."""
        place: Place | None = None
        size, guard = self.profile.changes.page_size, PageGuard(self.client.instance, sobject)
        while True:
            guard.turn(place)
            rows = await self.client.changed(sobject, soql.both(where, soql.after(place)), size)
            if rows:
                yield [row.record for row in rows]
            if len(rows) < size:
                return
            place = (instant(rows[-1].record.system_modstamp), rows[-1].record.id)

    def found(self, sobject: SObject, record: ChangeRecord) -> list[Change]:
        return from_record(sobject, record, self.maps)


def hour_before(instant: dt.datetime) -> dt.datetime:
    """A margin for a long transaction, whose records have instants before its commit."""
    return instant - dt.timedelta(hours=1)
