"""tests/access: one deployment with the rows of three worlds, and everybody who may want to read them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from tests.access.probing import Persona, Probe, Prober, World
from tests.access.worlds import AMERICAN, Place, make_worlds
from tests.support.deals import new_deal
from tests.support.instances import CRM_INSTANCE, PSA_INSTANCE
from tests.support.sandboxes import SandboxOf
from tests.support.servers import create_database
from tests.support.stack import Stack, open_accounts

ALL = '["*.*.read", "*.*.write", "*.*.approve"]'
FLOWS = '["process.*.read", "process.*.write", "process.*.approve"]'
ROLES = 'roles = ["finance", "operations"]'
CONSUMERS = f"""
[consumers.desk-uk]
title = "Bound to one legal entity"
scopes = {FLOWS}
{ROLES}
entities = ["NB-UK"]

[consumers.desk-us]
title = "Bound to another"
scopes = {FLOWS}
{ROLES}
entities = ["NB-US"]

[consumers.desk-de]
title = "Bound to one that has no rows"
scopes = {ALL}
{ROLES}
entities = ["NB-DE"]

[consumers.desk-nobody]
title = "Bound to none"
scopes = {ALL}
{ROLES}
entities = []

[consumers.desk-open]
title = "Bound to nothing itself: what its people see, their tokens say"
scopes = {FLOWS}
{ROLES}

[consumers.main-us]
title = "Bound to an org, and to one entity in it"
scopes = {ALL}
{ROLES}
claims = {{ instance = "{CRM_INSTANCE}" }}
entities = ["NB-US"]

[consumers.main]
title = "Bound to an org"
scopes = {ALL}
{ROLES}
claims = {{ instance = "{CRM_INSTANCE}" }}

[consumers.other]
title = "Bound to the other org"
scopes = {ALL}
{ROLES}
claims = {{ instance = "crm-other" }}

[consumers.elsewhere]
title = "Bound to a PSA that has done nothing"
scopes = {ALL}
{ROLES}
claims = {{ instance = "psa-other" }}

[consumers.partner-bolt]
title = "A second partner, granted far too much"
outside = true
scopes = {ALL}
{ROLES}
claims = {{ partner = "bolt", instance = "{CRM_INSTANCE}" }}

[consumers.portal-initech]
title = "A second customer's portal, granted far too much"
outside = true
scopes = {ALL}
{ROLES}
claims = {{ customer = "initech", instance = "{CRM_INSTANCE}" }}
"""
HOLDERS = (
    "desk-uk",
    "desk-us",
    "desk-de",
    "desk-nobody",
    "desk-open",
    "main-us",
    "main",
    "other",
    "elsewhere",
)
WAIVER = """
[[waivers]]
holder = "{holder}"
duties = [
    "request-customer", "approve-customer", "start-activation", "decide-exception", "write-to-systems",
    "grant-access", "issue-keys", "request-subscription", "approve-subscription",
    "erase-person",
]
reason = "it is let do everything, so that only its rows hold it back"
until = 2036-12-31
"""
# Who is let in to what, of the consumers above and of the demo's own.
SEES = {
    "desk-uk": {"uk", "other"},
    "desk-us": {"us"},
    "desk-de": set[str](),
    "desk-nobody": set[str](),
    "main-us": {"us"},
    "main": {"uk", "us"},
    "other": {"other"},
    "elsewhere": set[str](),
    "partner-bolt": set[str](),
    "portal-initech": set[str](),
    "partner-acme": set[str](),
    "portal-globex": set[str](),
    "crm-screen": {"uk", "us"},
}


@dataclass(frozen=True)
class Everybody:
    """The deployment, its worlds, and who asks; `admin` sees everything."""

    deployment: Stack
    worlds: dict[str, World]
    admin: Persona
    personas: tuple[Persona, ...]
    prober: Prober

    def foreign(self) -> list[tuple[Persona, World]]:
        """Each persona with each world that is not his."""
        return [
            (persona, world)
            for persona in self.personas
            for world in self.worlds.values()
            if world.name not in persona.owns
        ]


@pytest.fixture(scope="package")
async def everybody(
    tmp_path_factory: pytest.TempPathFactory,
    addresses: dict[str, str],
    worker_name: str,
    cache_url: str,
    sandbox_of: SandboxOf,
) -> AsyncIterator[Everybody]:
    """One deployment for all probes."""
    database_url = create_database(addresses["database_url"], f"access_{worker_name}")
    async with open_accounts(sandbox_of) as accounts:
        second = await (await sandbox_of(accounts.crm.vendor)).create_account()
        idle = await (await sandbox_of(accounts.psa.vendor)).create_account()
        deployment = Stack(tmp_path_factory.mktemp("access"), database_url, cache_url, accounts)
        _configure(deployment)
        deployment.add_instance(CRM_INSTANCE, "crm-other", second)
        deployment.add_instance(PSA_INSTANCE, "psa-other", idle)
        # The server closes a connection on which nothing comes for seconds: the client gives it up before.
        limits = httpx.Limits(keepalive_expiry=1)
        async with httpx.AsyncClient(base_url=deployment.url, timeout=30, limits=limits) as http:
            try:
                await deployment.start()
                first = accounts.crm
                # Two orgs of the stand-in count alike: this one begins later, so that no id is in both.
                for _ in range(12):
                    await new_deal(second)
                worlds = await make_worlds(
                    deployment,
                    [
                        Place("uk", CRM_INSTANCE, "NB-UK", first, {}),
                        Place("us", CRM_INSTANCE, "NB-US", first, AMERICAN),
                        Place("other", "crm-other", "NB-UK", second, {}),
                    ],
                )
                yield Everybody(
                    deployment, worlds, _admin(deployment), _personas(deployment), Prober(_sender(http))
                )
            finally:
                deployment.stop()
    await second.remove()
    await idle.remove()


def _configure(deployment: Stack) -> None:
    deployment.append("consumers.toml", CONSUMERS)
    for holder in HOLDERS:
        deployment.append("duties.toml", WAIVER.format(holder=holder))
    # Limits and the shedding of load are tried elsewhere; here they would only be waited for.
    deployment.edit("gateway.toml", ("max_lag_seconds = 5.0", "max_lag_seconds = 60.0"))
    deployment.edit(
        "gateway.toml", ("requests = 200,", "requests = 200_000,"), ("requests = 20,", "requests = 20_000,")
    )
    deployment.edit(
        "gateway.toml", ("requests = 400,", "requests = 400_000,"), ("requests = 600,", "requests = 60_000,")
    )
    deployment.set_profile(PSA_INSTANCE, "limits", per_second=2000)


def _admin(deployment: Stack) -> Persona:
    return Persona("ci", deployment.token("ci", "carla"), frozenset({"uk", "us", "other"}))


def _personas(deployment: Stack) -> tuple[Persona, ...]:
    consumers = [Persona(name, deployment.token(name), frozenset(sees)) for name, sees in SEES.items()]
    person = deployment.token("desk-open", "una", entities=["NB-US"])
    return (*consumers, Persona("una of desk-open", person, frozenset({"us"})), Persona("nobody", ""))


def _sender(http: httpx.AsyncClient):
    async def send(persona: Persona, probe: Probe) -> httpx.Response:
        headers = {**probe.headers, **({"Authorization": f"Bearer {persona.token}"} if persona.token else {})}
        return await http.request(
            probe.method, probe.path, params=probe.query, headers=headers, json=probe.body
        )

    return send
