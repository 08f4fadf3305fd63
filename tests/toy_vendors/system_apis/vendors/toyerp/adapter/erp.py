"""system_apis: implements the ERP capability with a Toy ERP account."""

import datetime as dt
from typing import Any

from contracts.canonical import matching
from contracts.canonical.contract import Contract as CanonicalContract
from contracts.canonical.contract import ContractDraft, Contracts
from contracts.canonical.customer import Customer as CanonicalCustomer
from contracts.canonical.customer import CustomerDraft, Customers
from kit.database import decode_page, encode_page
from system_apis.connector.unreadable import listed
from system_apis.vendors.toyerp.client import ToyerpClient, stamp_of
from system_apis.vendors.toyerp.mapping import canonical_id, document, to_contract, to_customer
from system_apis.vendors.toyerp.records import Contract, Customer, Rows

_MOST_MATCHES = 20


class ToyerpErp:
    """Customers and contracts of one account (contracts.system.erp.Erp)."""

    def __init__(self, client: ToyerpClient) -> None:
        self._client = client

    async def get_customer(self, customer_id: str) -> CanonicalCustomer:
        return to_customer(
            await self._client.get("customers", canonical_id("customer", customer_id), Customer)
        )

    async def list_customers(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Customers:
        since, after = _place(updated_since, cursor)
        rows = await self._client.rows("customers", Customer, since=since, after=after, limit=limit)
        items, left_out = listed(rows.items, to_customer, stamp_of)
        return Customers(items, _next(rows), left_out)

    async def find_customers(
        self, name: str | None = None, tax_number: str | None = None, domain: str | None = None
    ) -> Customers:
        """Reads all: a toy's account is small."""
        rows = await self._client.rows("customers", Customer, limit=1000)
        everybody, left_out = listed(rows.items, to_customer, stamp_of)
        alike = [one for one in everybody if matching.fits(one, name or "", tax_number or "", domain or "")]
        return Customers(tuple(alike[:_MOST_MATCHES]), left_out=left_out)

    async def get_customer_by_key(self, key: str) -> CanonicalCustomer:
        return to_customer(await self._client.get_by_key("customers", key, Customer))

    async def put_customer(self, key: str, body: CustomerDraft) -> CanonicalCustomer:
        return to_customer(await self._client.put("customers", key, document(body), Customer))

    async def get_contract(self, contract_id: str) -> CanonicalContract:
        return to_contract(
            await self._client.get("contracts", canonical_id("contract", contract_id), Contract)
        )

    async def list_contracts(
        self,
        customer_id: str | None = None,
        updated_since: dt.datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Contracts:
        since, after = _place(updated_since, cursor)
        rows = await self._client.rows("contracts", Contract, since=since, after=after, limit=limit)
        items, left_out = listed(rows.items, to_contract, stamp_of)
        theirs = [each for each in items if customer_id in (None, each.customer_id)]
        return Contracts(tuple(theirs), _next(rows), left_out)

    async def get_contract_by_key(self, key: str) -> CanonicalContract:
        return to_contract(await self._client.get_by_key("contracts", key, Contract))

    async def put_contract(self, key: str, body: ContractDraft) -> CanonicalContract:
        await self.get_customer(body.customer_id)
        return to_contract(await self._client.put("contracts", key, document(body), Contract))

    async def close_contract(self, key: str) -> CanonicalContract:
        contract = await self._client.get_by_key("contracts", key, Contract)
        answer = await self._client.change("contracts", contract.id, {"status": "closed"})
        return to_contract(answer.json(Contract))


def _place(updated_since: dt.datetime | None, cursor: str | None) -> tuple[dt.datetime | None, str]:
    """From where a page goes on; raises Invalid for a cursor of somebody else."""
    return decode_page(cursor, tuple[dt.datetime, str]) if cursor else (updated_since, "")


def _next(rows: Rows[Any]) -> str | None:
    return encode_page(*stamp_of(rows.items[-1])) if rows.more and rows.items else None
