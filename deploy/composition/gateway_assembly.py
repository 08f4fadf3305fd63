"""deploy: builds the gateway: every API mounted at its target, the issuer, and where vendors' pushes go."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

import deploy.composition.tables  # noqa: F401 - an export of a person's data reads every table
import experience_apis.app
import process_apis.app
from contracts.operation import Api
from deploy.composition.carrier import Carrier
from deploy.composition.interfaces import frozen, interfaces
from deploy.composition.issuers import IssuerCalls
from deploy.composition.lifecycle import read_lifecycles
from deploy.composition.parts import PolicyContext, Stores, Tiers
from deploy.composition.readiness import readiness
from deploy.composition.webhooks import webhook_step
from deploy.settings import ServerSettings, TierName
from gateway.app import CredentialSources, Gateway, GatewayStores, Reloading
from gateway.identity import DevelopmentIssuer
from gateway.identity.issuing.personas import read_people
from gateway.inventory import ApiInventory, Mounted, scopes_of
from gateway.plans import Consumer
from gateway.policies.hop import Target, in_process
from kit.operations import api_of
from system_apis.app import interface_of, prefix_of


def build_gateway(
    settings: ServerSettings,
    tiers: Tiers,
    stores: Stores,
    carrier: Carrier,
    http: httpx.AsyncClient,
    environ: Mapping[str, str],
    policy_context: PolicyContext,
) -> Gateway:
    """The gateway over all APIs of the deployment, each in this process or called at its tier."""
    policy = policy_context.bundle
    embedded = policy.settings.identity.embedded_issuer
    issuer = issuer_of(settings, policy.consumers) if embedded else None
    issuers = IssuerCalls(http)
    receive = tiers.intake.receive if tiers.intake is not None else carrier.hand_webhook
    return Gateway(
        policy,
        ApiInventory(_mounted(settings, tiers, carrier), lifecycles=read_lifecycles()),
        public_url=settings.address,
        credentials=CredentialSources(issuer, issuers.fetch, issuers.post, environ),
        stores=GatewayStores(stores.database, stores.cache, settings.workers * settings.replicas),
        reloading=Reloading(settings.folder, participants=(policy_context.participant,)),
        admin=frozen,
        hooks=webhook_step(settings.address, receive),
        ready=readiness(settings, stores, tiers),
    )


def _mounted(settings: ServerSettings, tiers: Tiers, carrier: Carrier) -> Iterable[Mounted]:
    def target(tier: TierName, interface: type, service: Any, prefix: str | None = None) -> Target:
        if tier not in settings.served_tiers:
            return carrier.target(tier)
        return in_process(interface, service, prefix)

    for _, profile in tiers.profiles:
        instance = tiers.instances.get(profile.name)
        for capability in profile.capabilities:
            interface = interface_of(capability)
            service = instance.interfaces[interface] if instance else None
            reached = target("system", interface, service, prefix_of(interface, profile.name))
            yield Mounted(interface, frozen(interface), reached, profile.name)
    for interface in process_apis.app.interfaces():
        module = tiers.modules.get(interface)
        service = module.service if module else None
        yield Mounted(interface, frozen(interface), target("process", interface, service))
    for interface in experience_apis.app.interfaces():
        service = tiers.audiences.get(interface)
        yield Mounted(interface, frozen(interface), target("experience", interface, service))


def apis() -> list[Api]:
    """Every API of the deployment."""
    return [api_of(interface) for interface in interfaces()]


def issuer_of(settings: ServerSettings, consumers: Mapping[str, Consumer]) -> DevelopmentIssuer:
    """The embedded issuer with its keys in the data directory and the people of the configuration."""
    return DevelopmentIssuer(
        Path(settings.data_dir) / "keys",
        issuer=settings.address,
        audience=settings.address,
        consumers=consumers,
        scopes=scopes_of(apis()),
        people=read_people(settings.folder / "people.toml"),
    )
