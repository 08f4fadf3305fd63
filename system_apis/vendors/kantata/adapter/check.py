"""system_apis: compares a Kantata OX account with its profile: login, permissions, fields, statuses."""

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from contracts.problems import Problem
from contracts.system.instance import Finding, InstanceReport
from system_apis.connector.findings import judged, well, wrong
from system_apis.vendors.kantata.client import KantataClient, Me
from system_apis.vendors.kantata.mapping import facts
from system_apis.vendors.kantata.records import Catalogue, CustomField
from system_apis.vendors.kantata.settings import KantataProfile

_TEXT = frozenset({"string"})
_CODED = frozenset({"string", "single", "multi"})
_ANY = frozenset({"string", "single", "multi", "number", "date"})
_LOGIN_FIX = (
    "As the integration user, open app.mavenlink.com/oauth/applications, authorise the application again"
    " and put its token where the profile refers to."
)


class Wanted(NamedTuple):
    """A custom field that the profile counts on."""

    subject: str
    name: str
    kinds: frozenset[str]
    unique: bool = False
    labels: tuple[str, ...] = ()


async def check(profile: KantataProfile, client: KantataClient) -> InstanceReport:
    """All findings that need no write, each with the vendor's own names."""
    client.forget_catalogue()
    findings = [finding async for finding in _findings(profile, client)]
    return InstanceReport(profile.name, profile.vendor, profile.environment, tuple(findings))


async def _findings(profile: KantataProfile, client: KantataClient) -> AsyncIterator[Finding]:
    try:
        me = await client.me()
    except Problem as problem:
        yield wrong("login", "access token", problem, _LOGIN_FIX)
        return
    yield well("login", "access token", f"we are user {me.user.id} of {me.user.account_id}")
    yield _administrator(me)
    yield _account(profile, me)
    if profile.changes.feed:
        yield await _feed(client)
    try:
        catalogue = await client.catalogue()
    except Problem as problem:
        yield wrong("permission", "custom fields and roles", problem)
        return
    for wanted in _wanted(profile):
        yield _field(wanted, catalogue.fields.get((wanted.subject, wanted.name)), catalogue)
    for role in profile.picklists.role:
        yield _role(role, catalogue)
    yield await _statuses(profile, client)
    yield _limits(profile)


def _administrator(me: Me) -> Finding:
    given = bool(me.membership and me.membership.is_administrator)
    return judged(
        "permission",
        "Account Administrator",
        "given" if given else f"our user is {me.user.account_permission or 'no administrator'}",
        ok=given,
        fix="Settings, Members: make the integration user an Account Administrator.",
    )


def _account(profile: KantataProfile, me: Me) -> Finding:
    """The vendor has one host for all accounts and no flag that marks a test account."""
    wanted, actual = profile.connection.account_id, str(me.user.account_id or "")
    return judged(
        "environment",
        "account",
        f"account {actual}; the profile calls it {profile.environment}",
        ok=wanted in ("", actual),
        fix=f"The profile expects account {wanted}: the token is of another one.",
    )


async def _feed(client: KantataClient) -> Finding:
    try:
        await client.can_read_events()
    except Problem as problem:
        fix = "Make the integration user an Account Administrator, or set changes.feed to false."
        return wrong("permission", "subscribed events", problem, fix)
    return well("permission", "subscribed events", "our user may read the feed")


def _wanted(profile: KantataProfile) -> Iterator[Wanted]:
    names, labels = profile.fields.project, profile.picklists
    yield Wanted(facts.WORKSPACE, names.key, _TEXT, unique=True)
    if names.contract_number:
        yield Wanted(facts.WORKSPACE, names.contract_number, _TEXT)
    for noun in ("service_line", "region", "template", "pricing_model"):
        if name := getattr(names, noun):
            yield Wanted(facts.WORKSPACE, name, _CODED, labels=tuple(getattr(labels, noun)))
    for name in (*names.custom.values(), *profile.required_custom.project):
        yield Wanted(facts.WORKSPACE, name, _ANY)
    if profile.fields.task.key:
        yield Wanted(facts.STORY, profile.fields.task.key, _TEXT, unique=True)
    yield Wanted(facts.GROUP, profile.fields.client.key, _TEXT, unique=True)
    for name in (*profile.fields.client.custom.values(), *profile.required_custom.client):
        yield Wanted(facts.GROUP, name, _ANY)


def _field(wanted: Wanted, field: CustomField | None, catalogue: Catalogue) -> Finding:
    name = f"{wanted.subject}: {wanted.name}"
    if field is None:
        fix = f"Settings, Custom Fields: add it to {wanted.subject}, open to administrators."
        return wrong("field", name, "does not exist, or is hidden from our user", fix)
    if field.value_type not in wanted.kinds:
        why = f"is of type {field.value_type}; {' or '.join(sorted(wanted.kinds))} is needed"
        return wrong(
            "field", name, why, "Name another field in the profile; a field's type cannot be changed."
        )
    if wanted.unique and not field.unique_constraint:
        fix = "Settings, Custom Fields: make its values unique; without that one key may get two records."
        return wrong("field", name, "allows the same value twice", fix)
    absent = [label for label in wanted.labels if label not in catalogue.choices.get(field.id, {})]
    if absent and field.value_type != "string":
        fix = "Add the choices to the field, or correct [picklists] of the profile."
        return wrong("reference", name, f"has no choice {', '.join(map(repr, absent))}", fix)
    return well("field", name, field.value_type)


def _role(role: str, catalogue: Catalogue) -> Finding:
    ok = role in catalogue.roles
    return judged(
        "reference",
        f"role: {role}",
        "exists" if ok else "does not exist",
        ok=ok,
        fix="Settings, Roles: add it, or correct [picklists.role] of the profile.",
    )


def _limits(profile: KantataProfile) -> Finding:
    ok = bool(profile.limits.concurrency and profile.limits.per_second)
    return judged(
        "limit",
        "calls",
        "the vendor publishes no limits; the profile's own hold" if ok else "the profile sets none",
        ok=ok,
        fix="Set concurrency (4) and per_second (5) in [limits] of the profile.",
    )


async def _statuses(profile: KantataProfile, client: KantataClient) -> Finding:
    """The account does not list its statuses: they are read off the newest projects."""
    name = "project statuses"
    try:
        seen = await client.seen_statuses()
    except Problem as problem:
        return wrong("permission", name, problem)
    strange = [
        f"{status.key} {status.message}" for key, status in seen.items() if key not in profile.stages.keys
    ]
    return judged(
        "reference",
        name,
        f"not in [stages]: {', '.join(strange)}" if strange else f"{len(seen)} seen, all mapped",
        ok=not strange,
        fix="Add them to [stages] of the profile.",
    )
