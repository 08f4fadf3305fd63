"""system_apis: implements the CRM capability with a Salesforce org."""

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from contracts.canonical.contact import Contacts
from contracts.canonical.customer import Customer, Customers
from contracts.canonical.opportunity import Opportunities, Opportunity, ProjectLink
from contracts.problems import NotFound, PreconditionFailed
from kit.database import decode_page, encode_page
from system_apis.vendors.salesforce.client import SalesforceClient
from system_apis.vendors.salesforce.client.soql import Place
from system_apis.vendors.salesforce.mapping import customer as customers
from system_apis.vendors.salesforce.mapping import ids, values
from system_apis.vendors.salesforce.mapping import opportunity as deals
from system_apis.vendors.salesforce.records import OpportunityRecord, Row, Stamped
from system_apis.vendors.salesforce.settings.maps import Maps

R = TypeVar("R", bound=Stamped)

_TRIES = 3  # for a record that is saved repeatedly between our read and our write


class SalesforceCrm:
    """Opportunities, accounts and contacts of one org (contracts.system.crm.Crm)."""

    def __init__(self, client: SalesforceClient, maps: Maps) -> None:
        self._client = client
        self._maps = maps

    async def get_opportunity(self, opportunity_id: str) -> Opportunity:
        """One call, lines and team included."""
        return await self._opportunity(await self._row(ids.normalise(opportunity_id, ids.OPPORTUNITY)))

    async def list_opportunities(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Opportunities:
        rows = await self._client.opportunities(updated_since, _place(cursor), limit + 1)
        return Opportunities(
            tuple([await self._opportunity(row) for row in rows[:limit]]), _next_cursor(rows, limit)
        )

    async def put_project_link(self, opportunity_id: str, body: ProjectLink) -> Opportunity:
        """Writes only what differs, and only onto the record that was read; else reads again."""
        record_id = ids.normalise(opportunity_id, ids.OPPORTUNITY)
        for _ in range(_TRIES):
            row = await self._row(record_id)
            _demand_stage(row.record, body)
            changes = deals.link_changes(row, body, self._maps)
            if not changes:
                return await self._opportunity(row)
            unmodified_since = values.instant(row.record.last_modified_date)
            try:
                stamps = await self._client.update_opportunity(record_id, changes, unmodified_since)
            except PreconditionFailed:
                continue
            return await self._opportunity(_written(row, changes, stamps))
        raise PreconditionFailed("the opportunity was changed by others during each attempt")

    async def get_customer(self, customer_id: str) -> Customer:
        account_id = ids.normalise(customer_id, ids.ACCOUNT)
        row = await self._client.account(account_id)
        if row is None:
            survivor = await self._client.merged_into(account_id)
            raise _merged(customer_id, survivor) if survivor else _no_record(customer_id)
        return customers.customer(row, self._maps, await self._client.instance_url())

    async def list_customers(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Customers:
        rows = await self._client.accounts(updated_since, _place(cursor), limit + 1)
        url = await self._client.instance_url()
        return Customers(
            tuple(customers.customer(row, self._maps, url) for row in rows[:limit]), _next_cursor(rows, limit)
        )

    async def list_contacts(self, customer_id: str, cursor: str | None = None, limit: int = 50) -> Contacts:
        account_id = ids.normalise(customer_id, ids.ACCOUNT)
        rows = await self._client.contacts(account_id, _place(cursor), limit + 1)
        if not rows and await self._client.account(account_id) is None:
            raise _no_record(customer_id)
        return Contacts(
            tuple(customers.contact(row, self._maps) for row in rows[:limit]), _next_cursor(rows, limit)
        )

    async def _row(self, record_id: str) -> Row[OpportunityRecord]:
        row = await self._client.opportunity(record_id)
        if row is None:
            raise _no_record(record_id)
        return row

    async def _opportunity(self, row: Row[OpportunityRecord]) -> Opportunity:
        return deals.opportunity(row, self._maps, await self._client.instance_url())


def _demand_stage(record: OpportunityRecord, body: ProjectLink) -> None:
    """That the deal is where the link belongs: what is saved onto the record afterwards refuses the write."""
    stage = deals.stage(is_won=record.is_won, is_closed=record.is_closed)
    if body.only_while not in (None, stage):
        raise PreconditionFailed(f"the opportunity is {stage}, the link for one that is {body.only_while}")


def _written(
    row: Row[OpportunityRecord], changes: dict[str, object], stamps: Stamped
) -> Row[OpportunityRecord]:
    """The row after our write."""
    record = msgspec.structs.replace(
        row.record, system_modstamp=stamps.system_modstamp, last_modified_date=stamps.last_modified_date
    )
    return Row(record, {**row.all, **changes})


def _no_record(record_id: str) -> NotFound:
    return NotFound(f"the org has no record {record_id}, or hides it from our user")


def _merged(record_id: str, survivor: str) -> NotFound:
    return NotFound(f"the account {record_id} was merged into the account {survivor}: use that one")


def _next_cursor(rows: Sequence[Row[R]], limit: int) -> str | None:
    """Where the page ends; a row more than requested shows that there is another."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1].record
    return encode_page(values.instant(last.system_modstamp), last.id)


def _place(cursor: str | None) -> Place | None:
    return None if cursor is None else decode_page(cursor, tuple[dt.datetime, str])
