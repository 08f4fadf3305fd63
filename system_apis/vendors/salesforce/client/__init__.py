"""system_apis: what we read of Sales Cloud in an org, and the one thing that we write."""

import datetime as dt

import msgspec

from kit.http import Outbound
from system_apis.connector.unreadable import Unreadable
from system_apis.platforms.salesforce_org import soql
from system_apis.platforms.salesforce_org.auth import OrgSession
from system_apis.platforms.salesforce_org.client import OrgClient
from system_apis.platforms.salesforce_org.records import Row
from system_apis.platforms.salesforce_org.soql import Place
from system_apis.vendors.salesforce.client import queries
from system_apis.vendors.salesforce.profile import SalesforceProfile
from system_apis.vendors.salesforce.records import (
    AccountRecord,
    ContactRecord,
    LineItem,
    MergedRecord,
    OpportunityRecord,
    StageRecord,
    TeamMemberRecord,
)


class SalesforceClient(OrgClient):
    """Sales Cloud's records; lists come by last change, oldest first."""

    def __init__(self, outbound: Outbound, session: OrgSession, profile: SalesforceProfile) -> None:
        super().__init__(outbound, session, profile.connection.api_version)
        self._profile = profile

    async def opportunity(self, record_id: str) -> Row[OpportunityRecord] | None:
        """An opportunity with lines and team in one call."""
        rows = await self._opportunities(soql.by_id(record_id), limit=None)
        return rows[0] if rows else None

    async def opportunities(
        self, since: dt.datetime | None, after: Place | None, limit: int
    ) -> list[Row[OpportunityRecord] | Unreadable]:
        where = soql.both(soql.since(since), soql.after(after))
        rows = await self.query_some(
            queries.opportunities(self._profile, where, limit=limit), OpportunityRecord
        )
        return [row if isinstance(row, Unreadable) else await self._whole(row) for row in rows]

    async def account(self, record_id: str) -> Row[AccountRecord] | None:
        return await self.first(queries.accounts(self._profile, soql.by_id(record_id)), AccountRecord)

    async def merged_into(self, record_id: str) -> str:
        """The remaining account of a merger in which this one was deleted; empty without a merger."""
        row = await self.first(queries.merged(record_id), MergedRecord, deleted=True)
        return (row.record.master_record_id or "") if row else ""

    async def accounts(
        self, since: dt.datetime | None, after: Place | None, limit: int
    ) -> list[Row[AccountRecord] | Unreadable]:
        where = soql.both(soql.since(since), soql.after(after))
        return await self.query_some(queries.accounts(self._profile, where, limit=limit), AccountRecord)

    async def contacts(
        self, account_id: str, after: Place | None, limit: int
    ) -> list[Row[ContactRecord] | Unreadable]:
        """Of one account."""
        where = soql.both(f"AccountId = {soql.quoted(account_id)}", soql.after(after))
        return await self.query_some(queries.contacts(where, limit=limit), ContactRecord)

    async def stages(self) -> list[StageRecord]:
        """The org's own stages: labels are its business, what counts is which of them are won."""
        return [row.record for row in await self.query(queries.STAGES, StageRecord)]

    async def _opportunities(self, where: str, limit: int | None) -> list[Row[OpportunityRecord]]:
        query = queries.opportunities(self._profile, where, limit=limit)
        return [await self._whole(row) for row in await self.query(query, OpportunityRecord)]

    async def _whole(self, row: Row[OpportunityRecord]) -> Row[OpportunityRecord]:
        record = msgspec.structs.replace(
            row.record,
            opportunity_line_items=await self.children(row.record.opportunity_line_items, LineItem),
            opportunity_team_members=await self.children(
                row.record.opportunity_team_members, TeamMemberRecord
            ),
        )
        return Row(record, row.all)
