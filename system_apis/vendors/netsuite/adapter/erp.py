"""system_apis: the ERP capability of one NetSuite account: customers, and sales orders as contracts."""

import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial

import msgspec

from contracts.canonical import matching
from contracts.canonical.contract import Contract, ContractDraft, Contracts
from contracts.canonical.customer import Customer, CustomerDraft, Customers
from contracts.canonical.values import LeftOut
from contracts.problems import NotFound, Problem, VendorRejected
from system_apis.connector.cached import ReadOnce
from system_apis.connector.erp import completed
from system_apis.connector.errors import created_or_changed, on_schema
from system_apis.connector.local_rows import LocalRows
from system_apis.connector.local_time import Row
from system_apis.connector.oracle_sql import whole_table
from system_apis.connector.own_writes import OwnWrites
from system_apis.connector.refusals import inactive, no_such
from system_apis.connector.unreadable import Unreadable, listed
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.mapping.contract import closing_body, contract, is_closed, order_body
from system_apis.vendors.netsuite.mapping.customer import customer, customer_body
from system_apis.vendors.netsuite.mapping.schedule import schedule_body
from system_apis.vendors.netsuite.mapping.values import canonical_id, column, point
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import NetSuiteCustomer, NetSuiteOrder, NetSuiteSchedule, Raw

_HOUR = 3600.0  # seconds until the account is asked again whether it has a feature


class NetSuiteErp:
    """`contracts.system.erp.Erp` at NetSuite. A create is an upsert under the caller's key as external id."""

    def __init__(
        self, profile: NetSuiteProfile, client: NetSuiteClient, own_writes: OwnWrites, rows: LocalRows
    ) -> None:
        self._instance = profile.name
        self._complete = ReadOnce(lambda: completed(profile, self._table))
        self._has_shared = ReadOnce(self._has_shared_customers, seconds=_HOUR)
        self._client = client
        self._own_writes = own_writes
        self._rows = rows

    # -- customers

    async def get_customer(self, customer_id: str) -> Customer:
        _, customer = await self._customer(canonical_id("customer", customer_id))
        return customer

    async def get_customer_by_key(self, key: str) -> Customer:
        record, customer = await self._customer(f"eid:{key}")
        if record.is_inactive:
            raise NotFound(f"the customer of {key} is inactive", instance=self._instance)
        return customer

    async def _customer(self, ident: str) -> tuple[NetSuiteCustomer, Customer]:
        record, raw = await self._client.read("customer", ident, NetSuiteCustomer)
        others = await self._other_subsidiaries([record.id])
        return record, customer(await self._complete.get(), record, raw, others.get(record.id, ()))

    async def _has_shared_customers(self) -> bool:
        """Whether the account lets a customer buy in several subsidiaries, and our role may see in which."""
        try:
            await self._client.query(queries.SHARED_CUSTOMERS)
        except VendorRejected as problem:
            if any(fault.code == "permission" for fault in problem.errors):
                return False
            raise
        return True

    async def _other_subsidiaries(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """The subsidiaries beside the primary one, by the customer."""
        others: dict[str, list[str]] = {}
        if ids and await self._has_shared.get():
            for row in await self._client.query(queries.other_subsidiaries(ids)):
                with on_schema(self._instance, "a row"):
                    others.setdefault(str(row["entity"]), []).append(str(row["subsidiary"]))
        return others

    async def list_customers(
        self, updated_since: dt.datetime | None = None, cursor: str | None = None, limit: int = 50
    ) -> Customers:
        profile = await self._complete.get()
        rows, following = await self._rows.page(queries.customers(profile), updated_since, cursor, limit)
        items, left_out = await self._customers(profile, rows)
        return Customers(items, following, left_out)

    async def find_customers(
        self, name: str | None = None, tax_number: str | None = None, domain: str | None = None
    ) -> Customers:
        profile = await self._complete.get()
        asked = (name or "", tax_number or "", domain or "")
        sql = queries.matches(profile, *asked)
        customers, left_out = await self._customers(profile, await self._client.query(sql) if sql else [])
        matches = [each for each in customers if matching.fits(each, *asked)]
        return Customers(tuple(matches[: queries.MOST_MATCHES]), left_out=left_out)

    async def put_customer(self, key: str, body: CustomerDraft) -> Customer:
        profile = await self._complete.get()

        async def write() -> str:
            known = await self._known(key) if body.billing_address else None
            return await self._client.upsert("customer", key, customer_body(profile, body, known))

        _, saved = await self._customer(await created_or_changed(write))
        await self._own_writes.wrote("customer", saved.id, saved.updated_at)
        return saved

    async def _known(self, key: str) -> NetSuiteCustomer | None:
        with suppress(NotFound):
            return (await self._client.read("customer", f"eid:{key}", NetSuiteCustomer))[0]
        return None

    # -- contracts

    async def get_contract(self, contract_id: str) -> Contract:
        return await self._contract(canonical_id("contract", contract_id))

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
            owner = canonical_id("customer", customer_id) if customer_id is not None else ""
        except NotFound:
            return Contracts(())  # no id of NetSuite's, so there are no contracts
        profile = await self._complete.get()
        source = queries.orders(profile, owner)
        rows, following = await self._rows.page(source, updated_since, cursor, limit)
        with on_schema(self._instance, "a row"):
            sums = await self._client.query(queries.line_sums(row["id"] for row in rows)) if rows else []
            values = {row["transaction"]: -Decimal(row["amount"]) for row in sums}
            subtotals = {row["id"]: {"subtotal": values.get(row["id"], Decimal(0))} for row in rows}
        orders = await self._rows.records(
            NetSuiteOrder, rows, column, changed="lastModifiedDate", more=subtotals
        )
        items, left_out = listed(
            orders,
            lambda each: contract(profile, each[0], dict(each[1]), None),
            lambda each: (each[0].last_modified_date, each[0].id),
        )
        return Contracts(items, following, left_out)

    async def put_contract(self, key: str, body: ContractDraft) -> Contract:
        profile = await self._complete.get()
        plan = schedule_body(profile, body) if body.billing_schedule else None
        order = order_body(profile, body)
        if plan is not None:
            lists = ("milestone", "recurrence")
            order["billingSchedule"] = point(
                await self._put("billingSchedule", f"{key}-billing", plan, *lists)
            )
        try:
            order_id = await self._put("salesOrder", key, order, "item")
        except VendorRejected as problem:
            if any(fault.field == "entity" for fault in problem.errors):
                raise await self._no_customer(body.customer_id) from None
            raise
        # The schedule is the one that was just saved as sent.
        return await self._written(order_id, msgspec.convert(plan, NetSuiteSchedule) if plan else None)

    async def _no_customer(self, customer_id: str) -> Problem:
        """Why NetSuite takes no order for it: it is inactive, or there is none."""
        with suppress(NotFound):
            record, _ = await self._client.read("customer", customer_id, NetSuiteCustomer)
            if record.is_inactive:
                return inactive(self._instance, "customer", record.company_name or record.id, "customer_id")
        return no_such(self._instance, "customer", customer_id)

    async def _written(self, ident: str, schedule: NetSuiteSchedule | None) -> Contract:
        saved = await self._contract(ident, schedule)
        await self._own_writes.wrote("contract", saved.id, saved.updated_at)
        return saved

    async def close_contract(self, key: str) -> Contract:
        record, _ = await self._client.read("salesOrder", f"eid:{key}", NetSuiteOrder)
        if is_closed(record):
            return await self._contract(record.id)
        await self._client.change("salesOrder", record.id, closing_body(record))
        return await self._written(record.id, None)

    async def _contract(self, ident: str, schedule: NetSuiteSchedule | None = None) -> Contract:
        record, raw = await self._client.read("salesOrder", ident, NetSuiteOrder)
        if record.billing_schedule is not None and schedule is None:
            schedule_id = record.billing_schedule.id
            schedule, _ = await self._client.read("billingSchedule", schedule_id, NetSuiteSchedule)
        return contract(await self._complete.get(), record, raw, schedule)

    # -- both

    async def _put(self, kind: str, key: str, body: Raw, *lists: str) -> str:
        return await created_or_changed(partial(self._client.upsert, kind, key, body, replace=lists))

    async def _table(self, name: str) -> dict[str, str]:
        table, column = {"currencies": ("currency", "symbol"), "terms": ("term", "name")}[name]
        rows = await self._client.query(whole_table(table, column))
        return {row["id"]: row[column] for row in rows if column in row}

    async def _customers(
        self, profile: NetSuiteProfile, rows: Sequence[Row]
    ) -> tuple[tuple[Customer, ...], tuple[LeftOut, ...]]:
        """The customers of some rows, and what is left out of them."""
        records = await self._rows.records(NetSuiteCustomer, rows, column, changed="lastModifiedDate")
        known = [each[0].id for each in records if not isinstance(each, Unreadable)]
        others = await self._other_subsidiaries(known)
        return listed(
            records,
            lambda each: customer(profile, each[0], dict(each[1]), others.get(each[0].id, ())),
            lambda each: (each[0].last_modified_date, each[0].id),
        )
