"""system_apis: what is well and what is not in a NetSuite account, by NetSuite's own names."""

from collections.abc import Iterable, Iterator
from functools import partial

from contracts.system.instance import Finding
from system_apis.connector.checks import (
    CheckStep,
    allowed,
    concurrency_finding,
    environment_step,
    fact_step,
    permission_steps,
)
from system_apis.connector.custom_values import Kind
from system_apis.connector.erp_check import field_findings, reference_steps, schema_types
from system_apis.connector.oracle_sql import by_ids, count
from system_apis.connector.wall_clock import LocalZone
from system_apis.vendors.netsuite.auth import NetSuiteAccount
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.mapping.queries import FIRST_SUBSIDIARYS_CURRENCY
from system_apis.vendors.netsuite.profile import NetSuiteProfile

# What we call, and the permission that it needs as NetSuite's role page names it. A change of a record that
# cannot exist shows whether we may change any.
_PROBES = (
    ("GET", "customer?limit=1", "Lists > Customers (View)"),
    ("PATCH", "customer/eid:enfilade-no-such-record", "Lists > Customers (Edit)"),
    ("GET", "salesOrder?limit=1", "Transactions > Sales Order (View)"),
    ("PATCH", "salesOrder/eid:enfilade-no-such-record", "Transactions > Sales Order (Edit)"),
    ("GET", "billingSchedule?limit=1", "Lists > Billing Schedules (View)"),
    ("PATCH", "billingSchedule/eid:enfilade-no-such-record", "Lists > Billing Schedules (Edit)"),
)
_TABLES = ("customer", "transaction", "transactionline", "currency", "term", "subsidiary")
_RECORDS = {
    "entities": "subsidiary",
    "items": "item",
    "tax_codes": "salestaxitem",
    "currencies": "currency",
    "terms": "term",
}
_NAMES = {"item": "itemid", "salestaxitem": "itemid", "currency": "symbol"}
_TYPES: dict[Kind, tuple[str, ...]] = {
    "text": ("string",),
    "number": ("number", "integer"),
    "boolean": ("boolean",),
    "reference": ("object",),
}
_LOGIN_FIX = (
    "compare account, client_id and certificate_id with"
    " Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup, and read the Login Audit Trail"
)


class NetSuiteCheck:
    """The steps of a check; none changes anything."""

    def __init__(
        self, profile: NetSuiteProfile, account: NetSuiteAccount, client: NetSuiteClient, zone: LocalZone
    ) -> None:
        self._profile = profile
        self._account = account
        self._client = client
        self._zone = zone

    def steps(self) -> Iterator[CheckStep]:
        yield environment_step(self._profile, self._account.id, self._account.environment)
        login = allowed(partial(self._client.probe, "GET", "currency?limit=1"))
        yield CheckStep("login", "OAuth 2.0 (M2M)", login, _LOGIN_FIX, needed=True)
        calls = [(name, partial(self._client.probe, method, path)) for method, path, name in _PROBES]
        yield from permission_steps(calls, "give the integration role")
        tables = {name: partial(self._client.query, count(name)) for name in _TABLES}
        rows = [(f"Reports > SuiteAnalytics Workbook (table {name})", call) for name, call in tables.items()]
        yield from permission_steps(rows, "give the integration role")
        fix = "give the integration role Setup > REST Web Services"
        yield CheckStep("field", "metadata-catalog", self._fields, fix)
        yield from reference_steps(self._profile, self._names, _RECORDS)
        yield self._zone.step(
            "let the role read customers, also by SuiteQL",
            "set time_zone in the profile to the integration user's, as Home > Set Preferences shows it",
        )
        yield fact_step("currency", self._profile.currency, self._currency)
        # Only administrators may read it, so its absence is no fault.
        yield CheckStep("limit", "governanceLimits", self._limits, lenient=True)

    async def _fields(self) -> list[Finding]:
        schemas = await self._client.schemas(("customer", "salesOrder", "billingSchedule"))
        shapes = {
            "customer": ("customer", schema_types(schemas, "customer")),
            "contract": ("salesOrder", schema_types(schemas, "salesOrder")),
            "contract_line": ("salesOrder.item", schema_types(schemas, "salesOrder", "item", "items")),
        }
        return list(field_findings(self._profile, shapes, _TYPES))

    async def _names(self, record: str, ids: Iterable[str]) -> dict[str, str]:
        rows = await self._client.query(by_ids(record, _NAMES.get(record, "name"), ids))
        return {row["id"]: row.get("name", "") for row in rows}

    async def _currency(self) -> str:
        """Of the first subsidiary, which has no parent."""
        rows = await self._client.query(FIRST_SUBSIDIARYS_CURRENCY)
        return rows[0].get("symbol", "") if rows else ""

    async def _limits(self) -> Finding:
        governance = await self._client.governance()
        most = governance.integration_concurrency_limit or governance.account_concurrency_limit
        return concurrency_finding(self._profile, "NetSuite", most)
