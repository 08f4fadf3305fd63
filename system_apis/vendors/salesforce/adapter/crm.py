"""system_apis: implements the CRM capability with a Salesforce org."""

import datetime as dt
from typing import TypeVar

import msgspec

from contracts.canonical.contact import Contacts
from contracts.canonical.customer import Customer, Customers
from contracts.canonical.opportunity import Opportunities, Opportunity, ProjectLink
from contracts.problems import NotFound, PreconditionFailed
from kit.database import decode_page
from system_apis.connector.paging import page_of
from system_apis.connector.refusals import no_such
from system_apis.connector.unreadable import Unreadable, listed
from system_apis.connector.values import utc
from system_apis.platforms.salesforce_org import ids
from system_apis.platforms.salesforce_org.records import Row, Stamped
from system_apis.platforms.salesforce_org.soql import Place
from system_apis.vendors.salesforce.client import SalesforceClient
from system_apis.vendors.salesforce.mapping import customer as customers
from system_apis.vendors.salesforce.mapping import opportunity as deals
from system_apis.vendors.salesforce.mapping.ids import ACCOUNT, OPPORTUNITY
from system_apis.vendors.salesforce.profile import SalesforceProfile
from system_apis.vendors.salesforce.records import OpportunityRecord

R = TypeVar("R", bound=Stamped)

_TRIES = 3  # for a record that is saved repeatedly between our read and our write


class SalesforceCrm:
    """Opportunities, accounts and contacts of one org (contracts.system.crm.Crm)."""

    def __init__(self, client: SalesforceClient, profile: SalesforceProfile) -> None:
        self._client = client
        self._profile = profile

    async def get_opportunity(self, opportunity_id: str) -> Opportunity:
        """One call, lines and team included."""
        return await self._opportunity(await self._row(ids.normalise(opportunity_id, OPPORTUNITY)))

    async def list_opportunities(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Opportunities:
        rows = await self._client.opportunities(updated_since, _place(cursor), limit + 1)
        shown, following = page_of(rows, limit, _place_of)
        url = await self._client.instance_url()
        items, left_out = listed(shown, lambda row: deals.opportunity(row, self._profile, url), _place_of)
        return Opportunities(items, following, left_out)

    async def put_project_link(self, opportunity_id: str, body: ProjectLink) -> Opportunity:
        """Writes only what differs, and only onto the record that was read; else reads again."""
        record_id = ids.normalise(opportunity_id, OPPORTUNITY)
        for _ in range(_TRIES):
            row = await self._row(record_id)
            self._demand_stage(row.record, body)
            changes = deals.link_changes(row, body, self._profile)
            if not changes:
                return await self._opportunity(row)
            unmodified_since = utc(row.record.last_modified_date)
            try:
                stamps = await self._client.update("Opportunity", record_id, changes, unmodified_since)
            except PreconditionFailed:
                continue
            return await self._opportunity(_written(row, changes, stamps))
        sentence = "the opportunity was changed by others during each attempt"
        raise PreconditionFailed(sentence, instance=self._profile.name)

    async def get_customer(self, customer_id: str) -> Customer:
        account_id = ids.normalise(customer_id, ACCOUNT)
        row = await self._client.account(account_id)
        if row is None:
            survivor = await self._client.merged_into(account_id)
            raise (
                self._merged(customer_id, survivor)
                if survivor
                else no_such(self._profile.name, "record", customer_id)
            )
        return customers.customer(row, self._profile, await self._client.instance_url())

    async def list_customers(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Customers:
        rows = await self._client.accounts(updated_since, _place(cursor), limit + 1)
        shown, following = page_of(rows, limit, _place_of)
        url = await self._client.instance_url()
        items, left_out = listed(shown, lambda row: customers.customer(row, self._profile, url), _place_of)
        return Customers(items, following, left_out)

    async def list_contacts(self, customer_id: str, cursor: str | None = None, limit: int = 50) -> Contacts:
        account_id = ids.normalise(customer_id, ACCOUNT)
        rows = await self._client.contacts(account_id, _place(cursor), limit + 1)
        if not rows and await self._client.account(account_id) is None:
            raise no_such(self._profile.name, "record", customer_id)
        shown, following = page_of(rows, limit, _place_of)
        items, left_out = listed(shown, lambda row: customers.contact(row, self._profile), _place_of)
        return Contacts(items, following, left_out)

    async def _row(self, record_id: str) -> Row[OpportunityRecord]:
        row = await self._client.opportunity(record_id)
        if row is None:
            raise no_such(self._profile.name, "record", record_id)
        return row

    async def _opportunity(self, row: Row[OpportunityRecord]) -> Opportunity:
        return deals.opportunity(row, self._profile, await self._client.instance_url())

    def _demand_stage(self, record: OpportunityRecord, body: ProjectLink) -> None:
        """That the deal is where the link belongs: what is saved onto it afterwards refuses the write."""
        stage = deals.stage(is_won=record.is_won, is_closed=record.is_closed)
        if body.only_while not in (None, stage):
            sentence = f"the opportunity is {stage}, the link for one that is {body.only_while}"
            raise PreconditionFailed(sentence, instance=self._profile.name)

    def _merged(self, record_id: str, survivor: str) -> NotFound:
        sentence = f"the account {record_id} was merged into the account {survivor}: use that one"
        return NotFound(sentence, instance=self._profile.name)


def _written(
    row: Row[OpportunityRecord], changes: dict[str, object], stamps: Stamped
) -> Row[OpportunityRecord]:
    """The row after our write."""
    record = msgspec.structs.replace(
        row.record, system_modstamp=stamps.system_modstamp, last_modified_date=stamps.last_modified_date
    )
    return Row(record, {**row.all, **changes})


def _place_of(row: Row[R] | Unreadable) -> Place:
    if isinstance(row, Unreadable):
        return row.at, row.id
    return utc(row.record.system_modstamp), row.record.id


def _place(cursor: str | None) -> Place | None:
    return None if cursor is None else decode_page(cursor, tuple[dt.datetime, str])
