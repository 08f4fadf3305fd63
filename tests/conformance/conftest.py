"""Every vendor's adapter of a capability, in front of its stand-in, on both carriers: here, and over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from kit import clock
from kit.clients import local, remote
from kit.database import Database
from kit.delegation import delegation
from kit.http import Slots
from kit.routes import answer_problem, require_delegation
from kit.secrets import Secret
from kit.settings import read_toml
from sandbox.core.golden import Golden
from sandbox.folders import profile_of
from system_apis.app import (
    Instance,
    connector_of,
    interface_of,
    open_instances,
    prefix_of,
    vendors,
)
from system_apis.connector import ConnectorContext
from tests.conformance.features import GivenWithout, Patient
from tests.conformance.stands import Noun, Stand, stand_of
from tests.support.sandboxes import Account, Sandbox, open_sandbox

CARRIERS = ("local", "remote")
NOTHING: Mapping[str, Any] = MappingProxyType({})
KEY = Secret("0123456789abcdef" * 4)


def every_connector(*carriers: str) -> list[str]:
    """Every vendor's adapter of every capability, on some carriers: ``netsuite/local/erp``."""
    return [
        f"{vendor}/{carrier}/{capability}"
        for vendor in vendors()
        for capability in connector_of(vendor).capabilities
        for carrier in carriers or CARRIERS
    ]


def connectors(capability: str) -> list[str]:
    """Every vendor whose card has the capability, with each carrier: ``acme/remote``."""
    return [
        f"{vendor}/{carrier}"
        for vendor in vendors()
        if capability in connector_of(vendor).capabilities
        for carrier in CARRIERS
    ]


Wrap = Callable[[Instance], Instance]


@dataclass
class ConnectorUnderTest:
    """One vendor's adapter as a caller has it, with the account behind it."""

    vendor: str
    capability: str
    api: Any
    instance: Instance
    account: Account
    stand: Stand
    opened: Callable[..., Awaitable[Instance]]
    carry: Callable[[Instance], Awaitable[Any]]

    @property
    def golden(self) -> Golden:
        return self.stand.golden

    @property
    def lacks(self) -> tuple[str, ...]:
        """The optional features that the account does not have."""
        return self.instance.connector.facts(self.instance.profile).lacks

    async def open(self, **limits: Any) -> Any:
        """The adapter as another process would have it."""
        return await self.carry(await self.opened(limits=limits))

    def noun(self, name: str) -> Noun:
        return self.stand.nouns[name]

    async def spoil(self, call: tuple[str, str], effect: dict[str, Any], times: int | None = 1) -> None:
        method, path = call
        await self.account.add_fault(effect, method=method, path=path, times=times)

    async def count(self, noun: str) -> int:
        """How many the vendor has, by its own word."""
        return len(await self.account.records(self.noun(noun).records))


@pytest.fixture(scope="session")
async def sandbox_of(addresses: dict[str, str], worker_name: str) -> AsyncIterator[Any]:
    """A vendor's stand-in by name, started when first asked for."""
    opened: dict[str, Sandbox] = {}
    async with AsyncExitStack() as stack:

        async def of(vendor: str) -> Sandbox:
            if vendor not in opened:
                manager = open_sandbox(addresses["nursery"], vendor, f"{worker_name}-same")
                opened[vendor] = await stack.enter_async_context(manager)
            return opened[vendor]

        yield of


@pytest.fixture(scope="session")
async def doubts(addresses: dict[str, str], database_url: str) -> AsyncIterator[Database]:
    """Where adapters of several processes leave each other word."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def open_connector(sandbox_of: Any, doubts: Database) -> Callable[..., Any]:
    """Opens the adapter that ``vendor/carrier/capability`` names, in front of an account of its own."""

    @asynccontextmanager
    async def opened(name: str, wrap: Wrap = lambda instance: instance) -> AsyncIterator[ConnectorUnderTest]:
        vendor, carrier, capability = name.split("/")
        stand = stand_of(vendor)
        account = await (await sandbox_of(vendor)).create_account(**stand.account)
        for change in stand.golden.schema:
            await account.change_schema(change)
        if stand.golden.seeds:
            await account.seed({table: list(rows) for table, rows in stand.golden.seeds.items()})
        async with AsyncExitStack() as stack:

            async def another(
                *profiles: Mapping[str, Any], limits: Mapping[str, Any] = NOTHING, **environ: str
            ) -> Instance:
                """The instance as a process of its own would have it."""
                slots = Slots()
                stack.push_async_callback(slots.close)
                configured = quick(vendor, stand, account, limits, *profiles)
                context = ConnectorContext(
                    environ=account.env | environ,
                    deployment=configured.environment,
                    database=doubts,
                    slots=slots,
                )
                manager = open_instances([(connector_of(vendor), configured)], context)
                instances = await stack.enter_async_context(manager)
                return wrap(instances[configured.name])

            async def carry(instance: Instance) -> Any:
                api = await stack.enter_async_context(carried(carrier, instance, capability))
                lacks = instance.connector.facts(instance.profile).lacks
                api = GivenWithout(api, lacks) if lacks else api
                return Patient(api) if instance.connector.answers_later else api

            instance = await another()
            api = await carry(instance)
            yield ConnectorUnderTest(vendor, capability, api, instance, account, stand, another, carry)
        clock.real()
        await account.remove()

    return opened


@pytest.fixture
async def connector(request: pytest.FixtureRequest, open_connector: Any) -> AsyncIterator[ConnectorUnderTest]:
    """The adapter that the test's parameter names; its capability is that of the test's module."""
    name = request.param
    if name.count("/") == 1:
        name = f"{name}/{request.module.CAPABILITY}"
    async with open_connector(name) as opened:
        yield opened


def quick(
    vendor: str, stand: Stand, account: Account, limits: Mapping[str, Any], *changes: Mapping[str, Any]
) -> Any:
    """The vendor's example profile, with no time lost between attempts, under a name of the account's own."""
    found = read_toml(profile_of(vendor), connector_of(vendor).profile)
    swift = {"backoff_seconds": 0.01, "per_second": 0, "timeout_seconds": 5.0, **limits}
    own = {"name": f"{vendor}-{account.name}"[:40], "limits": swift, "connection": stand.connection}
    profile = msgspec.to_builtins(found)
    for each in (own, stand.golden.profile, *changes):
        profile = merged(profile, each)
    return msgspec.convert(profile, type(found))


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The tables with the changes in them, at any depth; None removes."""
    result = dict(base)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(result.get(name), Mapping):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


class carried:  # noqa: N801 - reads as the word that it is
    """An instance's capability on a carrier: as it is, or through a tier of its own over HTTP."""

    def __init__(self, carrier: str, instance: Instance, capability: str) -> None:
        self._carrier, self._instance, self._interface = carrier, instance, interface_of(capability)
        self._http: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Any:
        if self._carrier == "local":
            return local(self._interface, self._instance.interfaces[self._interface])
        rooms = Litestar(
            route_handlers=self._instance.routers(),
            openapi_config=None,
            logging_config=None,
            exception_handlers={Exception: answer_problem},
        )
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(require_delegation(rooms, KEY, ["system"]))
        )
        address = "http://floor" + prefix_of(self._interface, self._instance.profile.name)
        return remote(self._interface, address, self._http, delegation(KEY, "process"))

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.aclose()
