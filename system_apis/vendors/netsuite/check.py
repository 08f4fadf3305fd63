"""system_apis: what is well and what is not in a NetSuite account, by NetSuite's own names."""

from collections.abc import Iterable, Iterator
from functools import partial

from contracts.system.instance import Finding
from system_apis.connector.checks import Step, environment_step
from system_apis.connector.custom_values import Kind
from system_apis.connector.erp_check import field_findings, reference_steps
from system_apis.connector.findings import judged
from system_apis.connector.oracle_sql import by_ids, count
from system_apis.connector.wall_clock import LocalZone
from system_apis.vendors.netsuite.auth import Account
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import Raw

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
        self, profile: NetSuiteProfile, account: Account, client: NetSuiteClient, zone: LocalZone
    ) -> None:
        self._profile = profile
        self._account = account
        self._client = client
        self._zone = zone

    def steps(self) -> Iterator[Step]:
        yield environment_step(self._profile, self._account.id, self._account.environment)
        login = partial(self._probe, "GET", "currency?limit=1")
        yield Step("login", "OAuth 2.0 (M2M)", login, _LOGIN_FIX, needed=True)
        probes = {name: partial(self._probe, method, path) for method, path, name in _PROBES}
        for table in _TABLES:
            name = f"Reports > SuiteAnalytics Workbook (table {table})"
            probes[name] = partial(self._readable, table)
        for name, probe in probes.items():
            yield Step("permission", name, probe, f"give the integration role {name}")
        fix = "give the integration role Setup > REST Web Services"
        yield Step("field", "metadata-catalog", self._fields, fix)
        yield from reference_steps(self._profile, self._names, _RECORDS)
        fix = "let the role read customers, also by SuiteQL"
        yield Step("environment", "time zone", self._time_zone, fix)
        # Only administrators may read it, so its absence is no fault.
        yield Step("limit", "governanceLimits", self._limits, lenient=True)

    async def _probe(self, method: str, path: str) -> str:
        await self._client.probe(method, path)
        return "allowed"

    async def _readable(self, table: str) -> str:
        await self._client.query(count(table))
        return "allowed"

    async def _fields(self) -> list[Finding]:
        schemas = await self._client.schemas(("customer", "salesOrder", "billingSchedule"))
        shapes = {
            "customer": ("customer", _types(schemas, "customer")),
            "contract": ("salesOrder", _types(schemas, "salesOrder")),
            "contract_line": ("salesOrder.item", _types(schemas, "salesOrder", "item", "items")),
        }
        return list(field_findings(self._profile, shapes, _TYPES))

    async def _names(self, record: str, ids: Iterable[str]) -> dict[str, str]:
        rows = await self._client.query(by_ids(record, _NAMES.get(record, "name"), ids))
        return {row["id"]: row.get("name", "") for row in rows}

    async def _time_zone(self) -> Finding:
        """The first and the last change may be on either side of a change to summer time."""
        both = [await self._client.clock("DESC"), await self._client.clock("ASC")]
        fix = "set time_zone in the profile to the integration user's, as Home > Set Preferences shows it"
        return self._zone.finding("time zone", [one for one in both if one], fix)

    async def _limits(self) -> Finding:
        governance = await self._client.governance()
        most = governance.integration_concurrency_limit or governance.account_concurrency_limit
        used = self._profile.limits.concurrency
        detail = f"NetSuite allows {most} calls at once, the profile uses {used or 'any number'}"
        fix = f"set limits.concurrency to at most {most}"
        return judged("limit", "concurrency", detail, ok=0 < used <= most, fix=fix)


def _types(schemas: Raw, kind: str, *path: str) -> dict[str, str]:
    """The types of a record's fields, or of those of the lines of one of its lists."""
    shape: Raw = schemas.get(kind, {})
    for name in path:
        shape = shape.get("properties", {}).get(name, {})
    fields: Raw = shape.get("items", shape).get("properties", {})
    return {name: str(field.get("type")) for name, field in fields.items()}
