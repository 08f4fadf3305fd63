"""system_apis: implements the CRM capability with a Toy CRM account."""

import datetime as dt
from typing import Any

from contracts.canonical.contact import Contacts
from contracts.canonical.customer import Customer, Customers
from contracts.canonical.opportunity import Opportunities, Opportunity, ProjectLink
from contracts.problems import PreconditionFailed
from kit.database import decode_page, encode_page
from system_apis.connector.unreadable import listed
from system_apis.vendors.toycrm.client import PRECONDITION_FAILED, ToycrmClient, stamp_of
from system_apis.vendors.toycrm.mapping import canonical_id, to_contact, to_customer, to_opportunity
from system_apis.vendors.toycrm.records import Account, Contact, Deal, Rows


class ToycrmCrm:
    """Deals, accounts and contacts of one account (contracts.system.crm.Crm)."""

    def __init__(self, client: ToycrmClient) -> None:
        self._client = client

    async def get_opportunity(self, opportunity_id: str) -> Opportunity:
        return to_opportunity(
            await self._client.get("deals", canonical_id("opportunity", opportunity_id), Deal)
        )

    async def list_opportunities(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Opportunities:
        since, after = _place(updated_since, cursor)
        rows = await self._client.rows("deals", Deal, since=since, after=after, limit=limit)
        items, left_out = listed(rows.items, to_opportunity, stamp_of)
        return Opportunities(items, _next(rows), left_out)

    async def put_project_link(self, opportunity_id: str, body: ProjectLink) -> Opportunity:
        ident = canonical_id("opportunity", opportunity_id)
        fields = {"project_id": body.project_id, "project_url": body.project_url}
        fields["project_status"] = body.status
        conditions: dict[str, str] = {"state": body.only_while} if body.only_while else {}
        answer = await self._client.change("deals", ident, fields, **conditions)
        if answer.status == PRECONDITION_FAILED:
            sentence = f"{self._client.instance}: the deal is not {body.only_while} any more"
            raise PreconditionFailed(sentence, instance=self._client.instance)
        return to_opportunity(answer.json(Deal))

    async def get_customer(self, customer_id: str) -> Customer:
        return to_customer(await self._client.get("accounts", canonical_id("customer", customer_id), Account))

    async def list_customers(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Customers:
        since, after = _place(updated_since, cursor)
        rows = await self._client.rows("accounts", Account, since=since, after=after, limit=limit)
        items, left_out = listed(rows.items, to_customer, stamp_of)
        return Customers(items, _next(rows), left_out)

    async def list_contacts(self, customer_id: str, cursor: str | None = None, limit: int = 50) -> Contacts:
        ident = (await self.get_customer(customer_id)).id
        since, after = _place(None, cursor)
        rows = await self._client.rows(
            "contacts", Contact, since=since, after=after, limit=limit, account=ident
        )
        items, left_out = listed(rows.items, to_contact, stamp_of)
        return Contacts(items, _next(rows), left_out)


def _place(updated_since: dt.datetime | None, cursor: str | None) -> tuple[dt.datetime | None, str]:
    """From where a page goes on; raises Invalid for a cursor of somebody else."""
    return decode_page(cursor, tuple[dt.datetime, str]) if cursor else (updated_since, "")


def _next(rows: Rows[Any]) -> str | None:
    return encode_page(*stamp_of(rows.items[-1])) if rows.more and rows.items else None
