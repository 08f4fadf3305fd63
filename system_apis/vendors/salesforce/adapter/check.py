"""system_apis: compares an org with its profile: login, permissions, fields, values and limits."""

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from contracts.problems import Problem
from contracts.system.instance import Finding, InstanceReport
from system_apis.connector.findings import judged, well, wrong
from system_apis.vendors.salesforce.auth import Session
from system_apis.vendors.salesforce.client import SalesforceClient
from system_apis.vendors.salesforce.client.events import Events
from system_apis.vendors.salesforce.records import FieldDescribe, ObjectDescribe
from system_apis.vendors.salesforce.settings import SalesforceProfile

_TEXT = frozenset({"string", "textarea", "picklist", "combobox", "url", "email", "id"})
_DATE = frozenset({"date"})
_NUMBER = frozenset({"currency", "double", "int"})
_KINDS = {"expected_start": _DATE, "expected_end": _DATE, "credit_limit": _NUMBER}
_WRITTEN = frozenset({"project_id", "project_url", "project_status"})
_CODED = {
    "Opportunity": ("service_line", "region", "pricing_model", "payment_terms"),
    "Account": ("selling_entity", "payment_terms"),
}
_LOW = 0.1  # of the daily allowance


class Wanted(NamedTuple):
    """A field that the profile counts on."""

    noun: str
    name: str
    kinds: frozenset[str]
    written: bool


async def check(
    profile: SalesforceProfile, session: Session, client: SalesforceClient, events: Events
) -> InstanceReport:
    """All findings that need no write, each with the vendor's own names."""
    findings = [finding async for finding in _findings(profile, session, client, events)]
    return InstanceReport(profile.name, profile.vendor, profile.environment, tuple(findings))


async def _findings(
    profile: SalesforceProfile, session: Session, client: SalesforceClient, events: Events
) -> AsyncIterator[Finding]:
    try:
        identity = await session.identity()
    except Problem as problem:
        yield wrong("login", "External Client App", problem, _LOGIN_FIX)
        return
    login = f"user {identity.user_id} of org {identity.organization_id} at {identity.instance_url}"
    yield well("login", "External Client App", login)
    for sobject in ("Opportunity", "Account", "Contact"):
        async for finding in _object(sobject, profile, client):
            yield finding
    yield await _allowance(client)
    yield await _environment(profile, client)
    if profile.changes.stream:
        for sobject in ("Opportunity", "Account"):
            yield await _event_channel(sobject, events)


_LOGIN_FIX = (
    "In Setup, External Client App Manager: enable the flow of the profile, upload the certificate (JWT) and"
    " pre-authorise the integration user's permission set; see the vendor's README."
)


async def _object(
    sobject: str, profile: SalesforceProfile, client: SalesforceClient
) -> AsyncIterator[Finding]:
    try:
        described = await client.describe(sobject)
    except Problem as problem:
        fix = f"Permission set, Object Settings, {sobject}: tick Read."
        yield wrong("permission", f"{sobject}: Read", problem, fix)
        return
    for finding in _permissions(sobject, described):
        yield finding
    for finding in _fields(sobject, described, profile):
        yield finding


def _permissions(sobject: str, described: ObjectDescribe) -> Iterator[Finding]:
    needed = {"Read": described.queryable}
    if sobject == "Opportunity":
        needed["Edit"] = described.updateable
    for permission, given in needed.items():
        yield judged(
            "permission",
            f"{sobject}: {permission}",
            "given" if given else "our user does not have it",
            ok=given,
            fix=f"Permission set, Object Settings, {sobject}: tick {permission}.",
        )


def _fields(sobject: str, described: ObjectDescribe, profile: SalesforceProfile) -> Iterator[Finding]:
    there = {field.name: field for field in described.fields}
    for wanted in _wanted(sobject, profile):
        yield _field(sobject, wanted, there.get(wanted.name))
    for noun in _CODED.get(sobject, ()):
        yield from _values(sobject, noun, there, profile)
    if sobject == "Opportunity":
        yield _currency(there, profile)
        yield from _demanded(described, profile)


def _wanted(sobject: str, profile: SalesforceProfile) -> Iterator[Wanted]:
    parts = {"Opportunity": profile.fields.opportunity, "Account": profile.fields.customer}
    part = parts.get(sobject)
    for noun in part.__struct_fields__ if part else ():
        if name := getattr(part, noun):
            yield Wanted(noun, name, _KINDS.get(noun, _TEXT), noun in _WRITTEN)
    if sobject == "Opportunity":
        for name in profile.required_custom.opportunity:
            yield Wanted("required_custom", name, frozenset(), written=True)


def _field(sobject: str, wanted: Wanted, field: FieldDescribe | None) -> Finding:
    name = f"{sobject}.{wanted.name}"
    if field is None:
        # Salesforce does not distinguish a missing field from a hidden one.
        fix = f"Create it, or give Read Access to it (Field-Level Security): it holds {wanted.noun}."
        return wrong("field", name, "does not exist, or is hidden from our user", fix)
    if wanted.kinds and field.type not in wanted.kinds:
        why = f"is of type {field.type}; {wanted.noun} needs {' or '.join(sorted(wanted.kinds))}"
        return wrong("field", name, why, "Name another field in the profile, or change its type.")
    if wanted.written and not field.updateable:
        fix = "Permission set, Object Settings, Field Permissions (Field-Level Security): Edit Access."
        return wrong("permission", name, "our user may not edit it", fix)
    return well("field", name, f"{field.type}, read as {wanted.noun}")


def _values(
    sobject: str, noun: str, there: dict[str, FieldDescribe], profile: SalesforceProfile
) -> Iterator[Finding]:
    part = profile.fields.opportunity if sobject == "Opportunity" else profile.fields.customer
    field, codes = there.get(getattr(part, noun)), getattr(profile.picklists, noun)
    if field is None or not codes:
        return
    strange = [value.value for value in field.picklist_values if value.active and value.value not in codes]
    yield judged(
        "reference",
        f"{sobject}.{field.name} values",
        f"no code for {', '.join(map(repr, strange))}" if strange else "each has a code",
        ok=not strange,
        fix=f"Add them to [picklists.{noun}] of the profile.",
    )


def _currency(there: dict[str, FieldDescribe], profile: SalesforceProfile) -> Finding:
    several, stated = "CurrencyIsoCode" in there, bool(profile.currency)
    return judged(
        "field",
        "Opportunity.CurrencyIsoCode",
        "the org has several currencies" if several else "the org has a single currency",
        ok=several != stated,
        fix="Set `currency` in the profile only for an org with a single one.",
    )


def _demanded(described: ObjectDescribe, profile: SalesforceProfile) -> Iterator[Finding]:
    """Required custom fields that are empty make the org refuse our write to an opportunity."""
    for field in described.fields:
        demanded = field.custom and field.updateable and not field.nillable and not field.defaulted_on_create
        if not demanded or field.type == "boolean":
            continue
        served = field.name in profile.required_custom.opportunity
        yield judged(
            "field",
            f"Opportunity.{field.name} (required)",
            "the profile fills it" if served else "every save of an opportunity needs it",
            ok=served,
            fix="Add it to [required_custom.opportunity] of the profile.",
        )


async def _allowance(client: SalesforceClient) -> Finding:
    name = "DailyApiRequests"
    try:
        limit = (await client.limits()).get(name)
    except Problem as problem:
        return wrong("limit", name, problem)
    if limit is None:
        return well("limit", name, "the org does not report it")
    return judged(
        "limit",
        name,
        f"{limit.remaining} of {limit.max} calls are left in these 24 hours",
        ok=limit.remaining > limit.max * _LOW,
        fix="See which clients call (Setup, API Usage), or buy more calls.",
    )


async def _environment(profile: SalesforceProfile, client: SalesforceClient) -> Finding:
    name = "Organization.IsSandbox"
    try:
        org = await client.organization()
    except Problem:
        org = None
    if org is None:
        return well("environment", name, f"not readable; the profile says {profile.environment}")
    # A Developer Edition is not flagged as a sandbox, but is not production either.
    actual = "test" if org.is_sandbox or org.organization_type == "Developer Edition" else "production"
    return judged(
        "environment",
        name,
        f"{org.name} is a {actual} org ({org.organization_type or 'edition unknown'})",
        ok=actual == profile.environment,
        fix=f"The profile says {profile.environment}: correct one.",
    )


async def _event_channel(sobject: str, events: Events) -> Finding:
    name = f"Change Data Capture: {sobject}"
    try:
        ok, detail = await events.can_subscribe(f"/data/{sobject}ChangeEvent"), "our user may listen"
    except Problem as problem:
        ok, detail = False, problem.detail
    return judged(
        "permission",
        name,
        detail if ok else f"we cannot listen: {detail}",
        ok=ok,
        fix=f"Setup, Change Data Capture: select {sobject}; the poll works without it.",
    )
