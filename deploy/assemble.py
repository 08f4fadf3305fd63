"""deploy: the one place that names all real things and puts the house together from its settings."""

import os
import secrets
import socket
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar, Router

import contracts
import experience_apis.app
import process_apis.app
from deploy.access import firm_of, following, read_policy
from deploy.carrier import Carrier
from deploy.checking import unfitness
from deploy.door import front_door, hook_route
from deploy.settings import FLOORS, Floor, HouseSettings
from deploy.work import working
from gateway.app import Gateway
from gateway.rulebook import Rulebook
from gateway.rulebook.keeping import Keeper, Part
from kit import privacy
from kit.cache import Cache
from kit.clients import local
from kit.database import Database
from kit.delegation import delegation
from kit.http import Recorder, Slots
from kit.inbox.worker import InboxWorker
from kit.operations import api_of
from kit.ownership import Ownership
from kit.routes import answer_problem, internal_door
from kit.secrets import Secret, kept, resolve
from kit.settings import SettingsError
from kit.workflows import Runtime, WorkflowSettings
from process_apis import reference_files
from process_apis.in_force import InForce
from process_apis.reference import Reference
from process_apis.room import Room, Workshop
from process_apis.systems import Systems
from system_apis.app import Instance, interface_of, open_instances, prefix_of, read_profiles
from system_apis.card import Card, Pipes, Profile

OWNERSHIP = Path(contracts.__file__).parent / "ownership.toml"
APPLICATION = "enfilade"
# Raised by hand, and only for a change of a flow that runs begun before cannot bear.
FLOWS_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Stores:
    """Where state is kept."""

    database: Database
    cache: Cache | None
    recorder: Recorder
    slots: Slots


@dataclass(slots=True)
class Floors:
    """What this process holds of the house, by floor."""

    profiles: list[tuple[Card, Profile]]
    instances: dict[str, Instance] = field(default_factory=dict)
    rooms: dict[type, Room] = field(default_factory=dict)
    audiences: dict[type, Any] = field(default_factory=dict)
    runtime: Runtime | None = None
    inbox: InboxWorker | None = None

    def routes(self) -> list[Router]:
        """Everything that stands here, as routes."""
        found = [room for instance in self.instances.values() for room in instance.rooms()]
        return [
            *found,
            *process_apis.app.routes(self.rooms),
            *experience_apis.app.routes(self.audiences),
        ]


@dataclass(frozen=True, slots=True)
class Governed:
    """The policy with which a process starts, the reference data it was held against, and what follows it."""

    rulebook: Rulebook
    reference: Reference
    in_force: InForce
    part: Part


@dataclass(frozen=True, slots=True)
class House:
    """A process of the house: its door as an ASGI application, and what stands behind.

    `policy` keeps the firm's policy in force, where gateway or flows go by it.
    """

    app: Any
    floors: Floors
    stores: Stores
    gateway: Gateway | None
    policy: Keeper | None


@asynccontextmanager
async def assemble(settings: HouseSettings, environ: Mapping[str, str]) -> AsyncIterator[House]:
    """The house as the settings ask for it, open for the length of the block; raises SettingsError."""
    # Here as well as in the command: whatever starts a process, production refuses what is for development.
    if settings.production and (faults := unfitness(settings, environ)):
        raise SettingsError(faults)
    key = internal_key(settings, environ)
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings, environ))
        http = await stack.enter_async_context(httpx.AsyncClient(limits=httpx.Limits(max_connections=100)))
        carrier = Carrier(settings, http, delegation(key, _first_floor(settings)))
        floors = Floors(profiles=read_profiles(settings.folder / "instances"))
        if "system" in settings.held:
            pipes = pipes_of(settings, environ, stores)
            floors.instances = await stack.enter_async_context(open_instances(floors.profiles, pipes))
        governed = _govern(settings, floors) if settings.held & {"gateway", "process"} else None
        if governed is not None and "process" in settings.held:
            _furnish_process(settings, stores, floors, carrier, governed)
        if "experience" in settings.held:
            floors.audiences = experience_apis.app.build(_process_clients(floors, carrier))
        gateway, policy = None, None
        if governed is not None and "gateway" in settings.held:
            gateway = front_door(settings, floors, stores, carrier, http, environ, governed)
            policy = gateway.policy
        elif governed is not None:
            policy = Keeper(governed.rulebook, (governed.part,), folder=settings.folder)
        async with working(settings, stores, floors, gateway or policy):
            app = gateway or _door(settings, _rooms(floors, stores), key)
            yield House(app, floors, stores, gateway, policy)


def _govern(settings: HouseSettings, floors: Floors) -> Governed:
    """The firm's policy as it stands, for all floors of the process that go by it."""
    firm = firm_of(floors.profiles, reference_files.read(settings.folder / "reference"))
    rulebook = read_policy(settings.folder, firm, production=settings.production)
    in_force = InForce(rulebook.routing, rulebook.duties)
    part = following(in_force, firm, production=settings.production)
    return Governed(rulebook, firm.reference, in_force, part)


def _rooms(floors: Floors, stores: Stores) -> Litestar:
    """The floors as an application of their own, for a process that the gateway reaches over HTTP."""
    hooks = [hook_route(floors.instances, stores.database)] if floors.instances else []
    return Litestar(
        route_handlers=[*floors.routes(), *hooks],
        openapi_config=None,
        logging_config=None,
        exception_handlers={Exception: answer_problem},
    )


def _first_floor(settings: HouseSettings) -> Floor:
    """As which floor this process calls others: the one through which requests come into it."""
    return next(floor for floor in FLOORS if floor in settings.held)


def _door(settings: HouseSettings, rooms: Litestar, key: Secret) -> Any:
    return internal_door(rooms, key, settings.held)  # pyright: ignore[reportArgumentType]


def internal_key(settings: HouseSettings, environ: Mapping[str, str]) -> Secret:
    """The key under which the house's floors know each other; a house in one process makes its own."""
    if settings.internal_key:
        return resolve(settings.internal_key, environ)
    return Secret(secrets.token_hex(32))


def master_keys(settings: HouseSettings, environ: Mapping[str, str]) -> privacy.Keys:
    """The keys under which people's data is sealed; development keeps one of its own in the data folder."""
    if settings.master_key:
        return privacy.Keys(resolve(settings.master_key, environ))
    path = Path(settings.data_dir) / "keys" / "master.key"
    return privacy.Keys(Secret(kept(path, lambda: secrets.token_hex(32).encode()).decode().strip()))


@asynccontextmanager
async def open_stores(settings: HouseSettings, environ: Mapping[str, str]) -> AsyncIterator[Stores]:
    """Database, cache and what stands directly on them."""
    keys = master_keys(settings, environ)
    # The name shows in pg_stat_activity whose sessions are whose.
    database = Database(settings.database_url, name=f"enfilade {executor_of(settings)}"[:50])
    cache = Cache(settings.cache_url) if settings.cache_url else None
    recorder = Recorder(database)
    slots = Slots(database.url)
    # One that does not close well keeps no other from closing: the recorder has rows to write.
    async with AsyncExitStack() as stack:
        for store in (database, cache, recorder, slots):
            if store is not None:
                stack.push_async_callback(store.close)
        await privacy.claim(database, keys)
        yield Stores(database, cache, recorder, slots)


def pipes_of(settings: HouseSettings, environ: Mapping[str, str], stores: Stores) -> Pipes:
    """What every vendor's room is handed."""
    return Pipes(
        environ=environ,
        deployment=settings.deployment,
        database=stores.database,
        cache=stores.cache,
        recorder=stores.recorder,
        slots=stores.slots,
    )


def executor_of(settings: HouseSettings) -> str:
    """The name of this process among those that share the database."""
    return f"{settings.executor or socket.gethostname()}-{os.getpid()}"


def _furnish_process(
    settings: HouseSettings, stores: Stores, floors: Floors, carrier: Carrier, governed: Governed
) -> None:
    worker = settings.role != "api"
    floors.runtime = Runtime(
        stores.database,
        application=APPLICATION,
        version=FLOWS_VERSION,
        executor=executor_of(settings),
        worker=worker,
        settings=WorkflowSettings(
            patience=settings.step_patience_seconds, first_wait=settings.step_pause_seconds
        ),
    )
    workshop = Workshop(
        systems=Systems(
            _system_clients(floors, carrier),
            governed.in_force,
            {profile.name: card.canonical_id for card, profile in floors.profiles},
        ),
        database=stores.database,
        runtime=floors.runtime,
        reference=governed.reference,
        ownership=Ownership.load(OWNERSHIP),
        in_force=governed.in_force,
        settings=tomllib.loads((settings.folder / "flows.toml").read_text(encoding="utf-8")),
    )
    floors.rooms = process_apis.app.build(workshop)
    if worker:
        floors.inbox = InboxWorker(stores.database)
        for room in floors.rooms.values():
            if room.flow is not None:
                floors.runtime.register(room.flow)
        for kind, handler in process_apis.app.subscriptions(workshop, floors.rooms):
            floors.inbox.subscribe(kind, handler)


def _system_clients(floors: Floors, carrier: Carrier) -> dict[tuple[str, type], Any]:
    """A client per instance and capability: local where the instance is open here, remote elsewhere."""
    clients: dict[tuple[str, type], Any] = {}
    for _, profile in floors.profiles:
        held = floors.instances.get(profile.name)
        for capability in profile.capabilities:
            interface = interface_of(capability)
            clients[profile.name, interface] = (
                local(interface, held.interfaces[interface])
                if held is not None
                else carrier.client("system", interface, prefix_of(interface, profile.name))
            )
    return clients


def _process_clients(floors: Floors, carrier: Carrier) -> dict[type, Any]:
    """A client per process interface that the audiences ask for."""
    return {
        interface: local(interface, floors.rooms[interface].service)
        if interface in floors.rooms
        else carrier.client("process", interface, api_of(interface).prefix)
        for interface in experience_apis.app.needed()
    }
