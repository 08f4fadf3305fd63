"""system_apis: what is well and what is not in a Kantata OX account, by the vendor's own names."""

from collections.abc import Iterator

from contracts.system.instance import Finding
from system_apis.connector.catalogue import Catalogue
from system_apis.connector.checks import Field, Fixes, Step, Wanted, field_finding, listed
from system_apis.connector.findings import judged
from system_apis.vendors.kantata.client import KantataClient
from system_apis.vendors.kantata.mapping.values import GROUP, STORY, WORKSPACE
from system_apis.vendors.kantata.profile import KantataProfile

_TEXT = frozenset({"string"})
_CODED = frozenset({"string", "single", "multi"})
_ANY = frozenset({"string", "single", "multi", "number", "date"})
_LOGIN_FIX = (
    "As the integration user, open app.mavenlink.com/oauth/applications, authorise the application again"
    " and put its token where the profile refers to."
)


def steps(profile: KantataProfile, client: KantataClient) -> Iterator[Step]:
    """All that is looked at; nothing is written."""
    client.catalogue.forget()

    async def login() -> str:
        me = await client.me.get()
        return f"we are user {me.user.id} of {me.user.account_id}"

    async def administrator() -> Finding:
        me = await client.me.get()
        given = bool(me.membership and me.membership.is_administrator)
        detail = "given" if given else f"our user is {me.user.account_permission or 'no administrator'}"
        fix = "Settings, Members: make the integration user an Account Administrator."
        return judged("permission", "Account Administrator", detail, ok=given, fix=fix)

    async def account() -> Finding:
        """The vendor has one host for all accounts and no flag that marks a test account."""
        wanted, actual = profile.connection.account_id, str((await client.me.get()).user.account_id or "")
        detail = f"account {actual}; the profile calls it {profile.environment}"
        fix = f"The profile expects account {wanted}: the token is of another one."
        return judged("environment", "account", detail, ok=wanted in ("", actual), fix=fix)

    async def feed() -> str:
        await client.can_read_events()
        return "our user may read the feed"

    async def fields_and_roles() -> list[Finding]:
        return list(_catalogue_findings(profile, await client.catalogue.get()))

    async def statuses() -> Finding:
        """The account does not list its statuses: they are read off the newest projects."""
        seen = await client.seen_statuses()
        unknown = [f"{key} {seen[key].message}" for key in seen if key not in profile.stages.keys]
        detail = f"not in [stages]: {', '.join(unknown)}" if unknown else f"{len(seen)} seen, all mapped"
        fix = "Add them to [stages] of the profile."
        return judged("reference", "project statuses", detail, ok=not unknown, fix=fix)

    async def limits() -> Finding:
        ok = bool(profile.limits.concurrency and profile.limits.per_second)
        detail = "the vendor publishes no limits; the profile's own hold" if ok else "the profile sets none"
        fix = "Set concurrency (4) and per_second (5) in [limits] of the profile."
        return judged("limit", "calls", detail, ok=ok, fix=fix)

    yield Step("login", "access token", login, _LOGIN_FIX, needed=True)
    yield Step("permission", "Account Administrator", administrator)
    yield Step("environment", "account", account)
    if profile.changes.feed:
        fix = "Make the integration user an Account Administrator, or set changes.feed to false."
        yield Step("permission", "subscribed events", feed, fix)
    yield Step("permission", "custom fields and roles", fields_and_roles)
    yield Step("reference", "project statuses", statuses)
    yield Step("limit", "calls", limits)


def _catalogue_findings(profile: KantataProfile, catalogue: Catalogue) -> Iterator[Finding]:
    for wanted in _wanted(profile):
        field = catalogue.fields.get((wanted.place, wanted.name))
        shape = Field(field.type, unique=field.unique, choices=field.choices) if field else None
        absent = f"Settings, Custom Fields: add it to {wanted.place}, open to administrators."
        unique = "Settings, Custom Fields: make its values unique; without that one key may get two records."
        fixes = Fixes(
            absent, "Name another field in the profile; a field's type cannot be changed.", unique=unique
        )
        yield field_finding(wanted, shape, fixes)
    roles = {f"role: {role}": role for role in profile.picklists.role}
    fix = "Settings, Roles: add it, or correct [picklists.role] of the profile."
    yield from listed("reference", roles, catalogue.roles, fix)


def _wanted(profile: KantataProfile) -> Iterator[Wanted]:
    names, labels, required = profile.fields.project, profile.picklists, profile.required_custom
    for noun, name in names.named().items():
        coded = noun not in ("key", "contract_number")
        choices = tuple(getattr(labels, noun)) if coded else ()
        yield Wanted(WORKSPACE, name, noun, _CODED if coded else _TEXT, unique=noun == "key", choices=choices)
    for name in (*names.custom.values(), *required.project):
        yield Wanted(WORKSPACE, name, "", _ANY)
    for name in profile.fields.task.named().values():
        yield Wanted(STORY, name, "key", _TEXT, unique=True)
    yield Wanted(GROUP, profile.fields.client.key, "key", _TEXT, unique=True)
    for name in (*profile.fields.client.custom.values(), *required.client):
        yield Wanted(GROUP, name, "", _ANY)
