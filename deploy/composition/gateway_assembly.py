"""deploy: builds the gateway: every API mounted at its target, the issuer, and where vendors' pushes go."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx
from litestar import Request, Response, post
from litestar.params import FromPath

import deploy.composition.tables  # noqa: F401 - who asks what is held of him is shown every table
import experience_apis.app
import process_apis.app
from contracts.operation import Api
from contracts.problems import NotFound
from deploy.composition.carrier import VENDOR_HEADERS, Carrier, unpack
from deploy.composition.interfaces import frozen, interfaces
from deploy.composition.issuers import IssuerCalls
from deploy.composition.lifecycle import read_lifecycles
from deploy.composition.parts import PolicyContext, Stores, Tiers
from deploy.composition.readiness import readiness
from deploy.settings import ServerSettings, TierName
from gateway.app import CredentialSources, Gateway, GatewayStores, Reloading
from gateway.identity import DevelopmentIssuer
from gateway.identity.issuing.personas import read_people
from gateway.inventory import ApiInventory, Mounted, scopes_of
from gateway.plans import Consumer
from gateway.policies.hop import Target, in_process
from kit import inbox
from kit.context import current
from kit.database import Database
from kit.operations import api_of
from system_apis.app import Instance, interface_of
from system_apis.connector import Delivery


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
    instances = tiers.instances
    issuers = IssuerCalls(http)

    async def take_push(instance: str, headers: Mapping[str, str], body: bytes) -> None:
        if "system" in settings.served_tiers:
            await accept_push(instances, stores.database, instance, headers, body)
        else:
            await carrier.push(instance, headers, body)

    return Gateway(
        policy,
        ApiInventory(_mounted(settings, tiers, carrier), lifecycles=read_lifecycles()),
        public_url=settings.address,
        credentials=CredentialSources(issuer, issuers.fetch, issuers.post, environ),
        stores=GatewayStores(stores.database, stores.cache, settings.workers * settings.replicas),
        reloading=Reloading(settings.folder, participants=(policy_context.participant,)),
        admin=frozen,
        hooks=take_push,
        ready=readiness(settings, stores, tiers),
    )


def _mounted(settings: ServerSettings, tiers: Tiers, carrier: Carrier) -> Iterable[Mounted]:
    def target(tier: TierName, interface: type, service: Any) -> Target:
        return in_process(interface, service) if tier in settings.served_tiers else carrier.target(tier)

    for _, profile in tiers.profiles:
        instance = tiers.instances.get(profile.name)
        for capability in profile.capabilities:
            interface = interface_of(capability)
            service = instance.interfaces[interface] if instance else None
            yield Mounted(interface, frozen(interface), target("system", interface, service), profile.name)
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


async def accept_push(
    instances: Mapping[str, Instance],
    database: Database,
    name: str,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Verify a vendor's push as that vendor defines, and store its changes in one transaction."""
    instance = instances.get(name)
    if instance is None or instance.opened.webhook is None:
        raise NotFound("No instance of this name accepts pushes.")
    deliveries = await instance.opened.webhook.verify(headers, body)
    async with database.begin() as connection:
        for delivery in deliveries:
            if instance.accepts(delivery.change):
                await _store(connection, name, delivery)


async def _store(connection: Any, instance: str, delivery: Delivery) -> None:
    await inbox.receive(
        connection,
        source=instance,
        id=delivery.dedupe_id,
        type=delivery.type,
        key=delivery.key,
        data=delivery.change,
        occurred_at=delivery.occurred_at,
        correlation_id=current().correlation_id,
    )


def hook_route(instances: Mapping[str, Instance], database: Database) -> Any:
    """The endpoint at which a system tier of its own process receives pushes from the gateway."""

    @post("/hooks/{instance:str}", status_code=202)
    async def take(instance: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
        headers = unpack(request.headers[VENDOR_HEADERS])
        await accept_push(instances, database, instance, headers, await request.body())
        return Response(content=b'{"received":true}', status_code=202, media_type="application/json")

    return take
