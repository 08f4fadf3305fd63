"""deploy: the composition root: builds the deployment from its settings."""

import os
import secrets
import socket
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar

import contracts
import experience_apis.app
import process_apis.app
from deploy.composition.access import policy_participant, read_policy, routing_facts
from deploy.composition.carrier import Carrier
from deploy.composition.checking import unfitness
from deploy.composition.gateway_assembly import build_gateway
from deploy.composition.parts import PolicyContext, Stores, Tiers
from deploy.composition.work import background_work
from deploy.settings import TIERS, ServerSettings, TierName
from gateway.app import Gateway
from gateway.policy_bundle.reloader import PolicyReloader
from kit import privacy
from kit.cache import Cache
from kit.clients import local
from kit.database import Database
from kit.delegation import delegation
from kit.effects import guarded
from kit.http import Recorder, Slots
from kit.inbox.worker import InboxWorker
from kit.operations import api_of
from kit.ownership import Ownership
from kit.postings.collector import Collector
from kit.routes import answer_problem, require_delegation
from kit.secret_store import SecretStore
from kit.secrets import Secret, load_or_create, resolve
from kit.settings import SettingsError
from kit.workflows import Runtime, WorkflowSettings
from process_apis.current_policy import CurrentPolicy
from process_apis.module import FlowDependencies
from process_apis.systems import Systems
from system_apis import intake
from system_apis.app import interface_of, open_instances, prefix_of, survey_profiles
from system_apis.connector import ConnectorContext

OWNERSHIP = Path(contracts.__file__).parent / "ownership"
APPLICATION = "enfilade"
# Raised by hand, and only for a change of a flow with which earlier runs are incompatible.
FLOWS_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A process of the deployment: its ASGI application, and its parts.

    `policy` reloads the firm's policy, where the gateway or flows use it.
    """

    app: Any
    tiers: Tiers
    stores: Stores
    gateway: Gateway | None
    policy: PolicyReloader | None


@asynccontextmanager
async def assemble(settings: ServerSettings, environ: Mapping[str, str]) -> AsyncIterator[Deployment]:
    """The deployment of these settings, open for the length of the block; raises SettingsError."""
    # Here as well as in the command: whatever starts a process, production refuses what is for development.
    if settings.production and (faults := unfitness(settings, environ)):
        raise SettingsError(faults)
    key = internal_key(settings, environ)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings, environ))
        http = await stack.enter_async_context(httpx.AsyncClient(limits=httpx.Limits(max_connections=100)))
        carrier = Carrier(settings, http, delegation(key, _entry_tier(settings)))
        survey = survey_profiles(settings.folder / "instances")
        tiers = Tiers(profiles=survey.profiles)
        connector_context = None
        if "system" in settings.served_tiers:
            connector_context = make_connector_context(settings, environ, stores)
            tiers.instances = await stack.enter_async_context(
                open_instances(tiers.profiles, connector_context, survey.faults)
            )
        policy_context = (
            _policy_context(settings, tiers) if settings.served_tiers & {"gateway", "process"} else None
        )
        if policy_context is not None and "process" in settings.served_tiers:
            _build_process_tier(settings, stores, tiers, carrier, policy_context)
        if "experience" in settings.served_tiers:
            tiers.audiences = experience_apis.app.build(_process_clients(tiers, carrier))
        if connector_context is not None:
            _build_intake(settings, stores, tiers, connector_context)
        gateway, policy = None, None
        if policy_context is not None and "gateway" in settings.served_tiers:
            gateway = build_gateway(settings, tiers, stores, carrier, http, environ, policy_context)
            policy = gateway.runtime.reloader
        elif policy_context is not None:
            policy = PolicyReloader(
                policy_context.bundle, (policy_context.participant,), folder=settings.folder
            )
        async with background_work(settings, stores, tiers, gateway or policy):
            app = gateway or _internal_app(settings, _tiers_app(tiers), key)
            yield Deployment(app, tiers, stores, gateway, policy)


def _build_intake(
    settings: ServerSettings, stores: Stores, tiers: Tiers, connector_context: ConnectorContext
) -> None:
    """What takes in the vendors' webhooks and changes, and registers our addresses there."""
    wake = tiers.inbox.wake if tiers.inbox is not None else _wake_nobody
    tiers.intake = intake.Intake(tiers.instances, stores.database, wake)
    tiers.registrar = intake.registrar(
        tiers.instances, stores.secrets, settings.public_url, connector_context
    )


def _wake_nobody() -> None:
    """The inbox is worked on in other processes, which look for themselves."""


def _policy_context(settings: ServerSettings, tiers: Tiers) -> PolicyContext:
    """The firm's current policy, for all tiers of the process that use it."""
    facts = routing_facts(tiers.profiles, settings.folder)
    bundle = read_policy(settings.folder, facts, production=settings.production)
    current_policy = CurrentPolicy(bundle.routing, bundle.duties)
    participant = policy_participant(current_policy, facts, production=settings.production)
    return PolicyContext(bundle, facts.reference, current_policy, participant)


def _tiers_app(tiers: Tiers) -> Litestar:
    """The tiers as a separate application, for a process that the gateway calls over HTTP."""
    hooks = [intake.route(tiers.intake)] if tiers.intake is not None else []
    return Litestar(
        route_handlers=[*tiers.routes(), *hooks],
        openapi_config=None,
        logging_config=None,
        exception_handlers={Exception: answer_problem},
    )


def _entry_tier(settings: ServerSettings) -> TierName:
    """As which tier this process calls others: the one through which requests come into it."""
    return next(tier for tier in TIERS if tier in settings.served_tiers)


def _internal_app(settings: ServerSettings, modules: Litestar, key: Secret) -> Any:
    return require_delegation(modules, key, settings.served_tiers)  # pyright: ignore[reportArgumentType]


def internal_key(settings: ServerSettings, environ: Mapping[str, str]) -> Secret:
    """The key with which tiers authenticate to each other; a deployment in one process creates its own."""
    if settings.internal_key:
        return resolve(settings.internal_key, environ)
    return Secret(secrets.token_hex(32))


def master_keys(settings: ServerSettings, environ: Mapping[str, str]) -> privacy.DerivedKeys:
    """The keys under which people's data is sealed; development stores one of its own in the data folder."""
    if settings.master_key:
        return privacy.DerivedKeys(resolve(settings.master_key, environ))
    path = master_key_path(settings)
    return privacy.DerivedKeys(
        Secret(load_or_create(path, lambda: secrets.token_hex(32).encode()).decode().strip())
    )


def master_key_path(settings: ServerSettings) -> Path:
    """Where development stores the key that it creates."""
    return Path(settings.data_dir) / "keys" / "master.key"


@asynccontextmanager
async def open_stores(settings: ServerSettings, environ: Mapping[str, str]) -> AsyncIterator[Stores]:
    """Database, cache and their direct users."""
    keys = master_keys(settings, environ)
    # The name shows in pg_stat_activity whose sessions are whose.
    database = Database(settings.database_url, name=f"enfilade {executor_of(settings)}"[:50])
    cache = Cache(settings.cache_url) if settings.cache_url else None
    recorder = Recorder(database)
    slots = Slots(database.url)
    # Each is closed even when another fails to: the recorder has rows to write.
    async with AsyncExitStack() as stack:
        for store in (database, cache, recorder, slots):
            if store is not None:
                stack.push_async_callback(store.close)
        await privacy.claim(database, keys)
        yield Stores(database, cache, recorder, slots, SecretStore(database, keys))


def make_connector_context(
    settings: ServerSettings, environ: Mapping[str, str], stores: Stores
) -> ConnectorContext:
    """What every connector is given."""
    return ConnectorContext(
        environ=environ,
        deployment=settings.deployment,
        database=stores.database,
        cache=stores.cache,
        recorder=stores.recorder,
        slots=stores.slots,
        secrets=stores.secrets,
    )


def executor_of(settings: ServerSettings) -> str:
    """The name of this process among those that share the database."""
    return f"{settings.executor or socket.gethostname()}-{os.getpid()}"


def _build_process_tier(
    settings: ServerSettings, stores: Stores, tiers: Tiers, carrier: Carrier, policy_context: PolicyContext
) -> None:
    worker = settings.role != "api"
    tiers.runtime = Runtime(
        stores.database,
        application=APPLICATION,
        version=FLOWS_VERSION,
        executor=executor_of(settings),
        worker=worker,
        settings=WorkflowSettings(
            patience=settings.step_patience_seconds, first_wait=settings.step_pause_seconds
        ),
    )
    dependencies = FlowDependencies(
        systems=Systems(
            _system_clients(tiers, carrier),
            policy_context.current_policy,
            {profile.name: connector.canonical_id for connector, profile in tiers.profiles},
            facts={profile.name: connector.facts(profile) for connector, profile in tiers.profiles},
        ),
        database=stores.database,
        runtime=tiers.runtime,
        reference=policy_context.reference,
        ownership=Ownership.load(OWNERSHIP),
        current_policy=policy_context.current_policy,
        settings=tomllib.loads((settings.folder / "flows.toml").read_text(encoding="utf-8")),
    )
    tiers.modules = process_apis.app.build(dependencies)
    for module in tiers.modules.values():
        for flow in (*([module.flow] if module.flow else []), *module.postings):
            tiers.runtime.register(flow)
    if worker:
        tiers.inbox = InboxWorker(stores.database)
        tiers.postings = Collector(stores.database, tiers.runtime)
        for module in tiers.modules.values():
            for flow in module.postings:
                tiers.postings.add(flow)
        for trigger in process_apis.app.triggers(dependencies, tiers.modules):
            trigger.attach(tiers.inbox, tiers.runtime)


def _system_clients(tiers: Tiers, carrier: Carrier) -> dict[tuple[str, type], Any]:
    """A client per instance and capability, for effects to write with: local or remote."""
    clients: dict[tuple[str, type], Any] = {}
    for _, profile in tiers.profiles:
        instance = tiers.instances.get(profile.name)
        for capability in profile.capabilities:
            interface = interface_of(capability)
            prefix = prefix_of(interface, profile.name)
            client = (
                local(interface, instance.interfaces[interface], prefix)
                if instance is not None
                else carrier.client("system", interface, prefix)
            )
            clients[profile.name, interface] = guarded(interface, client)
    return clients


def _process_clients(tiers: Tiers, carrier: Carrier) -> dict[type, Any]:
    """A client per process interface that the audiences use."""
    return {
        interface: local(interface, tiers.modules[interface].service)
        if interface in tiers.modules
        else carrier.client("process", interface, api_of(interface).prefix)
        for interface in experience_apis.app.needed()
    }
