"""system_apis: what is well and what is not in a NetSuite account, by NetSuite's own names."""

from collections.abc import Callable

from contracts.problems import Problem
from contracts.system.instance import Finding, InstanceReport
from system_apis.connector.findings import judged, well, wrong
from system_apis.vendors.netsuite.auth import Account
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.client.zone import Seen, Zone
from system_apis.vendors.netsuite.records import Raw
from system_apis.vendors.netsuite.settings import NetSuiteProfile
from system_apis.vendors.netsuite.settings.maps import CustomValue

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
_KINDS = ("customer", "salesOrder", "billingSchedule")
_TYPES = {
    "text": ("string",),
    "number": ("number", "integer"),
    "boolean": ("boolean",),
    "reference": ("object",),
}


class Checker:
    """Compares an account with its profile; changes nothing."""

    def __init__(
        self, profile: NetSuiteProfile, account: Account, client: NetSuiteClient, zone: Zone
    ) -> None:
        self._profile = profile
        self._account = account
        self._client = client
        self._zone = zone

    async def report(self) -> InstanceReport:
        findings = [self._environment()]
        login = await self._login()
        findings.append(login)
        if login.ok:
            findings += await self._permissions()
            findings += await self._fields()
            findings += await self._references()
            findings.append(await self._time_zone())
            findings.append(await self._limits())
        return InstanceReport(self._profile.name, "netsuite", self._account.environment, tuple(findings))

    def _environment(self) -> Finding:
        expected, actual = self._profile.environment, self._account.environment
        return judged(
            "environment",
            self._account.id,
            f"a {actual} account; the profile says {expected}",
            ok=expected == actual,
            fix="set environment in the profile, or the right account",
        )

    async def _login(self) -> Finding:
        try:
            await self._client.probe("GET", "currency?limit=1")
        except Problem as problem:
            return wrong("login", "OAuth 2.0 (M2M)", problem, _LOGIN_FIX)
        return well("login", "OAuth 2.0 (M2M)", "logged in")

    async def _permissions(self) -> list[Finding]:
        findings = []
        for method, path, name in _PROBES:
            findings.append(await self._allowed(name, lambda m=method, p=path: self._client.probe(m, p)))
        tables = ("customer", "transaction", "transactionline", "currency", "term", "subsidiary")
        for table in tables:
            sql = f"SELECT COUNT(*) AS n FROM {table}"  # noqa: S608 - a name of the list above
            name = f"Reports > SuiteAnalytics Workbook (table {table})"
            findings.append(await self._allowed(name, lambda q=sql: self._client.query(q)))
        return findings

    async def _allowed(self, name: str, call: Callable[[], object]) -> Finding:
        try:
            await call()  # pyright: ignore[reportGeneralTypeIssues]
        except Problem as problem:
            return wrong("permission", name, problem, f"give the integration role {name}")
        return well("permission", name, "allowed")

    async def _fields(self) -> list[Finding]:
        try:
            schemas = await self._client.schemas(_KINDS)
        except Problem as problem:
            fix = "give the integration role Setup > REST Web Services"
            return [wrong("field", "metadata-catalog", problem, fix)]
        custom, fields = self._profile.required_custom, self._profile.fields
        customer = _properties(schemas, "customer")
        order = _properties(schemas, "salesOrder")
        line = (
            order.get("item", {})
            .get("properties", {})
            .get("items", {})
            .get("items", {})
            .get("properties", {})
        )
        wanted = [
            *(("customer", customer, name, CustomValue(value="-")) for name in _names(fields.customer)),
            *(("salesOrder", order, name, CustomValue(value="-")) for name in _names(fields.contract)),
            *(("customer", customer, name, value) for name, value in custom.customer.items()),
            *(("salesOrder", order, name, value) for name, value in custom.contract.items()),
            *(("salesOrder.item", line, name, value) for name, value in custom.contract_line.items()),
        ]
        return [_field(kind, properties, name, value) for kind, properties, name, value in wanted]

    async def _references(self) -> list[Finding]:
        profile = self._profile
        tables = (
            ("subsidiary", "name", profile.entities),
            ("item", "itemid", profile.items),
            ("salestaxitem", "itemid", profile.tax_codes),
            ("currency", "symbol", profile.currencies),
            ("term", "name", profile.terms),
        )
        findings = []
        for table, column, ids in tables:
            if ids:
                findings += await self._known(table, column, ids)
        return findings

    async def _known(self, table: str, column: str, ids: dict[str, str]) -> list[Finding]:
        wanted = ", ".join(sorted(set(ids.values())))
        try:
            rows = await self._client.query(
                f"SELECT id, {column} AS name FROM {table} WHERE id IN ({wanted})"  # noqa: S608 - checked ids
            )
        except Problem as problem:
            return [wrong("reference", table, problem, f"let the role read {table}")]
        names = {row["id"]: row.get("name", "") for row in rows}
        return [
            judged(
                "reference",
                f"{table} {ident} ({code})",
                names.get(ident, "there is no such record"),
                ok=ident in names,
                fix=f"correct the id of {code} in the profile",
            )
            for code, ident in ids.items()
        ]

    async def _time_zone(self) -> Finding:
        """The first and the last change may be on either side of a change to summer time."""
        name = "time zone"
        try:
            seen = [one for one in (await self._zone.seen("DESC"), await self._zone.seen("ASC")) if one]
        except Problem as problem:
            return wrong("environment", name, problem, "let the role read customers, also by SuiteQL")
        expected = self._profile.time_zone
        if not seen:
            return well(
                "environment", name, f"the profile says {expected}; no customer shows whether it is right"
            )
        other = [one for one in seen if not self._zone.explains(one)]
        return judged(
            "environment",
            name,
            f"SuiteQL answers at {_distance((other or seen)[0])}; the profile says {expected}",
            ok=not other,
            fix="set time_zone in the profile to the integration user's, as Home > Set Preferences shows it",
        )

    async def _limits(self) -> Finding:
        try:
            governance = await self._client.governance()
        except Problem as problem:
            # Only administrators may read it, so its absence is no fault.
            return well("limit", "governanceLimits", f"not readable: {problem.detail}")
        most = governance.integration_concurrency_limit or governance.account_concurrency_limit
        configured = self._profile.limits.concurrency
        return judged(
            "limit",
            "concurrency",
            f"NetSuite allows {most} calls at once, the profile uses {configured or 'any number'}",
            ok=0 < configured <= most,
            fix=f"set limits.concurrency to at most {most}",
        )


_LOGIN_FIX = (
    "compare account, client_id and certificate_id with"
    " Setup > Integration > OAuth 2.0 Client Credentials (M2M) Setup, and read the Login Audit Trail"
)


def _distance(seen: Seen) -> str:
    """As UTC-08:00 on a day."""
    minutes = round(seen.offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02} (on {seen.at:%Y-%m-%d})"


def _properties(schemas: Raw, kind: str) -> Raw:
    return schemas.get(kind, {}).get("properties", {})


def _names(fields: object) -> list[str]:
    names = (getattr(fields, name) for name in type(fields).__struct_fields__)  # pyright: ignore[reportAttributeAccessIssue]
    return [name for name in names if name]


def _field(kind: str, properties: Raw, name: str, wanted: CustomValue) -> Finding:
    shape = properties.get(name)
    if shape is None:
        fix = f"create {name} on {kind} and show it on the integration's form, or remove it from the profile"
        return wrong("field", f"{kind}.{name}", "not there, or hidden from our role", fix)
    return judged(
        "field",
        f"{kind}.{name}",
        f"is a {shape.get('type')}, the profile declares a {wanted.kind}",
        ok=shape.get("type") in _TYPES[wanted.kind],
        fix="correct the kind in the profile, or the field's type",
    )
