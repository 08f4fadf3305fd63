"""system_apis: the steps of a check of a Salesforce org, for any application in it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from contracts.system.instance import Finding
from system_apis.connector.checks import CheckStep, Field, Fixes, Wanted, fact_step, field_finding
from system_apis.connector.codes import Codes
from system_apis.connector.custom_values import CustomValues
from system_apis.connector.findings import judged, well
from system_apis.platforms.salesforce_org.auth import OrgSession
from system_apis.platforms.salesforce_org.client import OrgClient
from system_apis.platforms.salesforce_org.connection import OrgProfile
from system_apis.platforms.salesforce_org.events import Events
from system_apis.platforms.salesforce_org.records import FieldDescribe, ObjectDescribe
from system_apis.platforms.salesforce_org.stream import topic_of

TEXT = frozenset({"string", "textarea", "picklist", "combobox", "url", "email", "id"})
DATE = frozenset({"date"})
NUMBER = frozenset({"currency", "double", "int"})
_LOW = 0.1  # of the daily allowance
_LOGIN_FIX = (
    "In Setup, External Client App Manager: enable the flow of the profile, upload the certificate (JWT) and"
    " pre-authorise the integration user's permission set; see the vendor's README."
)
_EDIT_FIX = "Permission set, Object Settings, Field Permissions (Field-Level Security): Edit Access."


class ObjectCheck(NamedTuple):
    """What an application counts on in one object.

    `codes` are the profile's codes of picklists by field; `required` what it puts into fields that the org
    demands, None where nothing is written; `more` looks at what only this object has.
    """

    sobject: str
    wanted: Sequence[Wanted] = ()
    codes: Sequence[tuple[str, str, Codes]] = ()
    required: CustomValues | None = None
    more: Callable[[ObjectDescribe], Iterable[Finding]] = lambda _: ()


def steps(
    profile: OrgProfile,
    session: OrgSession,
    client: OrgClient,
    events: Events,
    objects: Sequence[ObjectCheck],
) -> Iterator[CheckStep]:
    """Login, the objects, the allowance, the kind of org, and the streams of watched objects."""

    async def login() -> str:
        identity = await session.identity()
        return f"user {identity.user_id} of org {identity.organization_id} at {identity.instance_url}"

    async def looked_at(check: ObjectCheck) -> list[Finding]:
        return list(_findings(check, await client.describe(check.sobject)))

    async def allowance() -> Finding:
        limit = (await client.limits()).get("DailyApiRequests")
        if limit is None:
            return well("limit", "DailyApiRequests", "the org does not report it")
        detail = f"{limit.remaining} of {limit.max} calls are left in these 24 hours"
        fix = "See which clients call (Setup, API Usage), or buy more calls."
        return judged("limit", "DailyApiRequests", detail, ok=limit.remaining > limit.max * _LOW, fix=fix)

    async def environment() -> str | Finding:
        org = await client.organization()
        if org is None:
            return f"not readable; the profile says {profile.environment}"
        # A Developer Edition is not flagged as a sandbox, but is not production either.
        actual = "test" if org.is_sandbox or org.organization_type == "Developer Edition" else "production"
        detail = f"{org.name} is a {actual} org ({org.organization_type or 'edition unknown'})"
        ok, fix = actual == profile.environment, f"The profile says {profile.environment}: correct one."
        return judged("environment", "Organization.IsSandbox", detail, ok=ok, fix=fix)

    async def subscription(sobject: str, name: str, fix: str) -> Finding:
        ok = await events.can_subscribe(topic_of(sobject))
        detail = "our user may listen" if ok else "our user may not listen"
        return judged("permission", name, detail, ok=ok, fix=fix)

    yield CheckStep("login", "External Client App", login, _LOGIN_FIX, needed=True)
    for check in objects:
        fix = f"Permission set, Object Settings, {check.sobject}: tick Read."
        yield CheckStep("permission", f"{check.sobject}: Read", partial(looked_at, check), fix)
    yield CheckStep("limit", "DailyApiRequests", allowance)
    yield CheckStep("environment", "Organization.IsSandbox", environment, lenient=True)
    yield fact_step("time_zone", profile.time_zone, client.time_zone)
    for sobject in [check.sobject for check in objects if profile.changes.stream and check.wanted]:
        name = f"Change Data Capture: {sobject}"
        fix = f"Setup, Change Data Capture: select {sobject}; the poll works without it."
        yield CheckStep("permission", name, partial(subscription, sobject, name, fix), fix)


def _findings(check: ObjectCheck, described: ObjectDescribe) -> Iterator[Finding]:
    sobject = check.sobject
    permissions = {"Read": described.queryable}
    if check.required is not None:
        permissions["Edit"] = described.updateable
    for permission, given in permissions.items():
        fix = f"Permission set, Object Settings, {sobject}: tick {permission}."
        detail = "given" if given else "our user does not have it"
        yield judged("permission", f"{sobject}: {permission}", detail, ok=given, fix=fix)
    there = {field.name: field for field in described.fields}
    for wanted in check.wanted:
        field = there.get(wanted.name)
        absent = f"Create it, or give Read Access to it (Field-Level Security): it holds {wanted.holds}."
        shape = Field(field.type, field.updateable) if field else None
        yield field_finding(wanted, shape, Fixes(absent, editable=_EDIT_FIX))
    for noun, name, codes in check.codes:
        if codes and (field := there.get(name)):
            yield _values(sobject, noun, field, codes)
    yield from check.more(described)
    if check.required is not None:
        yield from _demanded(described, check.required)


def _values(sobject: str, noun: str, field: FieldDescribe, codes: Codes) -> Finding:
    strange = [value.value for value in field.picklist_values if value.active and value.value not in codes]
    return judged(
        "reference",
        f"{sobject}.{field.name} values",
        f"no code for {', '.join(map(repr, strange))}" if strange else "each has a code",
        ok=not strange,
        fix=f"Add them to [picklists.{noun}] of the profile.",
    )


def _demanded(described: ObjectDescribe, required: CustomValues) -> Iterator[Finding]:
    """Required custom fields that are empty make the org refuse our write."""
    for field in described.fields:
        demanded = field.custom and field.updateable and not field.nillable and not field.defaulted_on_create
        if not demanded or field.type == "boolean":
            continue
        served, name = field.name in required, described.name
        yield judged(
            "field",
            f"{name}.{field.name} (required)",
            "the profile fills it" if served else f"every save of an {name.lower()} needs it",
            ok=served,
            fix=f"Add it to [required_custom.{name.lower()}] of the profile.",
        )
