"""system_apis: the ERP capability of one NetSuite account: customers, and sales orders as contracts."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TypeVar

import msgspec

from contracts.canonical import matching
from contracts.canonical.contract import Contract, ContractDraft, Contracts
from contracts.canonical.customer import Customer, CustomerDraft, Customers
from contracts.problems import ContractViolation, NotFound, VendorRejected
from kit.database import decode_page, encode_page
from system_apis.vendors.netsuite.client import Echoes, NetSuiteClient
from system_apis.vendors.netsuite.client.zone import Zone
from system_apis.vendors.netsuite.mapping import ids, queries
from system_apis.vendors.netsuite.mapping.contract import (
    closing_body,
    contract,
    contract_of_row,
    is_closed,
    order_body,
)
from system_apis.vendors.netsuite.mapping.customer import customer, customer_body, customer_of_row
from system_apis.vendors.netsuite.mapping.queries import Place
from system_apis.vendors.netsuite.mapping.schedule import schedule_body
from system_apis.vendors.netsuite.records import NetSuiteCustomer, NetSuiteOrder, NetSuiteSchedule, Raw, Row
from system_apis.vendors.netsuite.settings.maps import Maps

T = TypeVar("T")


class NetSuiteErp:
    """`contracts.system.erp.Erp` at NetSuite. A create is an upsert under the caller's key as external id."""

    def __init__(self, maps: Maps, client: NetSuiteClient, echoes: Echoes, zone: Zone) -> None:
        self._instance = maps.instance
        self._given = maps
        self._complete: Maps | None = None
        self._reading = asyncio.Lock()
        self._client = client
        self._echoes = echoes
        self._zone = zone

    # -- customers

    async def get_customer(self, customer_id: str) -> Customer:
        ident = ids.canonical("customer", customer_id)
        record, raw = await self._client.read("customer", ident, NetSuiteCustomer)
        return customer(await self._maps(), record, raw)

    async def get_customer_by_key(self, key: str) -> Customer:
        record, raw = await self._client.read("customer", f"eid:{key}", NetSuiteCustomer)
        if record.is_inactive:
            raise NotFound(f"the customer of {key} is inactive at {self._instance}")
        return customer(await self._maps(), record, raw)

    async def list_customers(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Customers:
        maps = await self._maps()
        place = await self._place(updated_since, cursor)
        rows = await self._client.query(queries.customers_since(maps, place, limit))
        items = tuple(await self._of_rows(maps, customer_of_row, rows))
        return Customers(items, _next_cursor(rows, limit))

    async def find_customers(
        self, name: str | None = None, tax_number: str | None = None, domain: str | None = None
    ) -> Customers:
        maps = await self._maps()
        asked = (name or "", tax_number or "", domain or "")
        sql = queries.matches(maps, *asked)
        rows = await self._client.query(sql) if sql else []
        customers = await self._of_rows(maps, customer_of_row, rows)
        matches = [each for each in customers if matching.fits(each, *asked)]
        return Customers(tuple(matches[: queries.MOST_MATCHES]))

    async def put_customer(self, key: str, body: CustomerDraft) -> Customer:
        maps = await self._maps()
        ident = await self._client.upsert(
            "customer",
            key,
            customer_body(maps, body),
            replace=("addressBook",) if body.billing_address else (),
        )
        record, raw = await self._client.read("customer", ident, NetSuiteCustomer)
        await self._echoes.wrote("customer", record.id, record.last_modified_date)
        return customer(maps, record, raw)

    # -- contracts

    async def get_contract(self, contract_id: str) -> Contract:
        return await self._contract(ids.canonical("contract", contract_id))

    async def get_contract_by_key(self, key: str) -> Contract:
        return await self._contract(f"eid:{key}")

    async def list_contracts(
        self,
        customer_id: str | None = None,
        updated_since: dt.datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Contracts:
        try:
            owner = ids.canonical("customer", customer_id) if customer_id is not None else ""
        except NotFound:
            return Contracts(())  # no id of NetSuite's, so there are no contracts
        maps = await self._maps()
        place = await self._place(updated_since, cursor)
        rows = await self._client.query(queries.orders_since(maps, place, limit, owner))
        with self._on_schema():
            asked = queries.line_sums(row["id"] for row in rows)
        sums = await self._client.query(asked) if rows else []
        with self._on_schema():
            values = {row["transaction"]: -Decimal(row["amount"]) for row in sums}
        items = tuple(
            await self._of_rows(
                maps, lambda m, row: contract_of_row(m, row, values.get(row["id"], Decimal(0))), rows
            )
        )
        return Contracts(items, _next_cursor(rows, limit))

    async def put_contract(self, key: str, body: ContractDraft) -> Contract:
        maps = await self._maps()
        plan = schedule_body(maps, body) if body.billing_schedule else None
        schedule_id = ""
        if plan is not None:
            schedule_id = await self._client.upsert(
                "billingSchedule", f"{key}-billing", plan, replace=("milestone", "recurrence")
            )
        try:
            order_id = await self._client.upsert(
                "salesOrder", key, order_body(maps, body, schedule_id), replace=("item",)
            )
        except VendorRejected as problem:
            if any(fault.field == "entity" for fault in problem.errors):
                raise NotFound(f"{self._instance} has no customer {body.customer_id}") from None
            raise
        return await self._written(maps, order_id, plan)

    async def close_contract(self, key: str) -> Contract:
        record, _ = await self._client.read("salesOrder", f"eid:{key}", NetSuiteOrder)
        if is_closed(record):
            return await self._contract(record.id)
        await self._client.change("salesOrder", record.id, closing_body(record))
        closed = await self._contract(record.id)
        await self._echoes.wrote("contract", closed.id, closed.updated_at)
        return closed

    async def _contract(self, ident: str) -> Contract:
        maps = await self._maps()
        record, raw = await self._client.read("salesOrder", ident, NetSuiteOrder)
        schedule = None
        if record.billing_schedule is not None:
            schedule, _ = await self._client.read(
                "billingSchedule", record.billing_schedule.id, NetSuiteSchedule
            )
        return contract(maps, record, raw, schedule)

    async def _written(self, maps: Maps, order_id: str, plan: Raw | None) -> Contract:
        """The order as NetSuite saved it; its schedule is the one that was just saved as sent."""
        record, raw = await self._client.read("salesOrder", order_id, NetSuiteOrder)
        await self._echoes.wrote("contract", record.id, record.last_modified_date)
        return contract(maps, record, raw, msgspec.convert(plan, NetSuiteSchedule) if plan else None)

    # -- both

    async def _maps(self) -> Maps:
        """The profile's maps; currencies and terms that it omits are read from the account once."""
        if self._complete is None:
            async with self._reading:
                if self._complete is None:
                    self._complete = await self._completed()
        return self._complete

    async def _completed(self) -> Maps:
        tables: dict[str, dict[str, str]] = {}
        if not self._given.currencies:
            rows = await self._client.query("SELECT id, symbol FROM currency FETCH FIRST 1000 ROWS ONLY")
            tables["currencies"] = {row["symbol"]: row["id"] for row in rows if "symbol" in row}
        if not self._given.terms:
            rows = await self._client.query("SELECT id, name FROM term FETCH FIRST 1000 ROWS ONLY")
            tables["terms"] = {row["name"]: row["id"] for row in rows if "name" in row}
        return msgspec.structs.replace(self._given, **tables)

    async def _place(self, updated_since: dt.datetime | None, cursor: str | None) -> Place | None:
        """Where a list continues; a cursor has the time as SuiteQL wrote it, which is right in any zone."""
        if cursor is not None:
            changed, ident = decode_page(cursor, tuple[dt.datetime, int])
            return Place(changed.replace(tzinfo=None).isoformat(" ", "seconds"), ident)
        return queries.place_at(updated_since, await self._zone.current()) if updated_since else None

    async def _of_rows(self, maps: Maps, make: Callable[[Maps, Row], T], rows: list[Row]) -> list[T]:
        """Canonical objects from SuiteQL rows; ContractViolation where a row lacks what it must have."""
        if not rows:
            return []
        maps = msgspec.structs.replace(maps, zone=await self._zone.current())
        with self._on_schema():
            return [make(maps, row) for row in rows]

    @contextmanager
    def _on_schema(self) -> Iterator[None]:
        """ContractViolation for what a row lacks, or has in another form."""
        try:
            yield
        except (KeyError, ValueError, ArithmeticError) as error:
            raise ContractViolation(
                f"{self._instance} answered a query with a row that is off its schema"
                f" ({type(error).__name__})",
                instance=self._instance,
            ) from None


def _next_cursor(rows: list[Row], limit: int) -> str | None:
    if len(rows) < limit:
        return None
    return encode_page(dt.datetime.fromisoformat(rows[-1]["changed"]), int(rows[-1]["id"]))
