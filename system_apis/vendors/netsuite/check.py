"""system_apis: what is well and what is not in a NetSuite account, by NetSuite's own names."""

from collections.abc import Iterator
from functools import partial

from contracts.system.instance import Finding
from system_apis.connector.checks import Field, Fixes, Step, Wanted, field_finding
from system_apis.connector.custom_values import CustomValues, custom_value
from system_apis.connector.findings import judged
from system_apis.connector.wall_clock import LocalZone
from system_apis.vendors.netsuite.auth import Account
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.client.zone import seen
from system_apis.vendors.netsuite.mapping import queries
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
_REFERENCES = (
    ("subsidiary", "name", "entities"),
    ("item", "itemid", "items"),
    ("salestaxitem", "itemid", "tax_codes"),
    ("currency", "symbol", "currencies"),
    ("term", "name", "terms"),
)
_TYPES = {
    "text": ("string",),
    "number": ("number", "integer"),
    "boolean": ("boolean",),
    "reference": ("object",),
}
_LOGIN_FIX = (
    "compare account, client_id and certificate_id with"
    " Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup, and read the Login Audit Trail"
)
_FIXES = Fixes(
    absent="create the field and show it on the integration's form, or remove it from the profile",
    type="correct the kind in the profile, or the field's type",
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
        yield Step("environment", self._account.id, self._environment)
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
        for table, column, name in _REFERENCES:
            if ids := getattr(self._profile, name):
                known = partial(self._known, table, column, ids)
                yield Step("reference", table, known, f"let the role read {table}")
        fix = "let the role read customers, also by SuiteQL"
        yield Step("environment", "time zone", self._time_zone, fix)
        # Only administrators may read it, so its absence is no fault.
        yield Step("limit", "governanceLimits", self._limits, lenient=True)

    async def _environment(self) -> Finding:
        expected, actual = self._profile.environment, self._account.environment
        detail = f"a {actual} account; the profile says {expected}"
        fix = "set environment in the profile, or the right account"
        return judged("environment", self._account.id, detail, ok=expected == actual, fix=fix)

    async def _probe(self, method: str, path: str) -> str:
        await self._client.probe(method, path)
        return "allowed"

    async def _readable(self, table: str) -> str:
        await self._client.query(queries.count(table))
        return "allowed"

    async def _fields(self) -> list[Finding]:
        schemas = await self._client.schemas(("customer", "salesOrder", "billingSchedule"))
        return list(_field_findings(self._profile, schemas))

    async def _known(self, table: str, column: str, ids: dict[str, str]) -> list[Finding]:
        rows = await self._client.query(queries.by_ids(table, column, ids))
        names = {row["id"]: row.get("name", "") for row in rows}
        return [_reference(table, ident, code, names) for ident, code in ids.items()]

    async def _time_zone(self) -> Finding:
        """The first and the last change may be on either side of a change to summer time."""
        both = [await seen(self._client, "DESC"), await seen(self._client, "ASC")]
        fix = "set time_zone in the profile to the integration user's, as Home > Set Preferences shows it"
        return self._zone.finding("time zone", [one for one in both if one], fix)

    async def _limits(self) -> Finding:
        governance = await self._client.governance()
        most = governance.integration_concurrency_limit or governance.account_concurrency_limit
        used = self._profile.limits.concurrency
        detail = f"NetSuite allows {most} calls at once, the profile uses {used or 'any number'}"
        fix = f"set limits.concurrency to at most {most}"
        return judged("limit", "concurrency", detail, ok=0 < used <= most, fix=fix)


def _reference(table: str, ident: str, code: str | tuple[str, ...], names: dict[str, str]) -> Finding:
    codes = code if isinstance(code, str) else ", ".join(code)
    detail, fix = names.get(ident, "there is no such record"), f"correct the id of {codes} in the profile"
    return judged("reference", f"{table} {ident} ({codes})", detail, ok=ident in names, fix=fix)


def _field_findings(profile: NetSuiteProfile, schemas: Raw) -> Iterator[Finding]:
    fields, custom = profile.fields, profile.required_custom
    places = (
        ("customer", ("customer",), fields.customer.named(), custom.customer),
        ("salesOrder", ("salesOrder",), fields.contract.named(), custom.contract),
        ("salesOrder.item", ("salesOrder", "item", "items"), {}, custom.contract_line),
    )
    for place, path, named, values in places:
        shapes = _properties(schemas, path)
        given: CustomValues = dict.fromkeys(named.values(), "text") | values
        for name, value in given.items():
            wanted = Wanted(place, name, types=_TYPES[custom_value(value).kind])
            shape = shapes.get(name)
            yield field_finding(wanted, Field(str(shape.get("type"))) if shape else None, _FIXES)


def _properties(schemas: Raw, path: tuple[str, ...]) -> Raw:
    """The fields of a record, or of the lines of one of its lists."""
    properties: Raw = schemas.get(path[0], {}).get("properties", {})
    for name in path[1:]:
        shape = properties.get(name, {})
        properties = shape.get("items", shape).get("properties", {})
    return properties
