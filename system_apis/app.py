"""The system tier: opens the configured instances and mounts the capabilities of each."""

import asyncio
import importlib
import pkgutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from litestar import Router

import contracts.system
from contracts.operation import Api
from kit.operations import api_of
from kit.routes import router
from kit.settings import SettingsError, read_toml
from kit.telemetry import log
from system_apis.connector import (
    ChangeSource,
    Connector,
    ConnectorContext,
    CursorStore,
    OpenInstance,
    Profile,
    Receive,
)
from system_apis.connector.polling import pause

_log = log("system_apis")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SOUND_SECONDS = 30.0  # a source that ran for so long failed for a new reason


class Head(msgspec.Struct, frozen=True):
    """As much of any profile as it takes to find its vendor's card."""

    name: str
    vendor: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One open instance with the interfaces that it serves."""

    profile: Profile
    connector: Connector
    opened: OpenInstance

    @property
    def interfaces(self) -> dict[type, Any]:
        """Each capability's interface with the adapter that keeps it."""
        return {interface_of(name): self.opened.capabilities[name] for name in self.profile.capabilities}

    def routers(self) -> list[Router]:
        """The instance's capabilities as routes."""
        return [
            router(interface, adapter, prefix_of(interface, self.profile.name))
            for interface, adapter in self.interfaces.items()
        ]


def prefix_of(interface: type, instance: str) -> str:
    """Where a capability of an instance stands."""
    return api_of(interface).prefix.format(instance=instance)


@cache
def interface_of(capability: str) -> type:
    """The interface of a capability by its name, as contracts/system declares it."""
    for module in pkgutil.iter_modules(contracts.system.__path__):
        found = importlib.import_module(f"contracts.system.{module.name}")
        for kind in vars(found).values():
            declared = getattr(kind, "__api__", None)
            if isinstance(declared, Api) and declared.name == capability:
                return kind
    raise SettingsError([f"no capability is named {capability!r}"])


def connector_of(vendor: str) -> Connector:
    """The card of a vendor by its folder's name."""
    try:
        return importlib.import_module(f"system_apis.vendors.{vendor}").CONNECTOR
    except ModuleNotFoundError as error:
        if error.name != f"system_apis.vendors.{vendor}":
            raise
        known = ", ".join(sorted(vendors()))
        raise SettingsError([f"no vendor is named {vendor!r}; there are: {known}"]) from None


def vendors() -> list[str]:
    """The names of all vendors that have a package here."""
    routers = importlib.import_module("system_apis.vendors")
    return [module.name for module in pkgutil.iter_modules(routers.__path__) if module.ispkg]


def read_profiles(folder: Path) -> list[tuple[Connector, Profile]]:
    """Every instance's profile, checked against its vendor's schema; raises SettingsError with all faults."""
    found: list[tuple[Connector, Profile]] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            connector = connector_of(read_toml(path, Head).vendor)
            profile = read_toml(path, connector.profile)
        except SettingsError as error:
            faults += error.faults
            continue
        if profile.name != path.stem:
            faults.append(f"{path}: the instance is named {profile.name}, its file {path.stem}")
        faults += [
            f"{path}: {connector.title} has no capability {name!r}"
            for name in profile.capabilities
            if name not in connector.capabilities
        ]
        found.append((connector, profile))
    if faults:
        raise SettingsError(faults)
    return found


@asynccontextmanager
async def open_instances(
    profiles: list[tuple[Connector, Profile]], connector_context: ConnectorContext
) -> AsyncIterator[dict[str, Instance]]:
    """All instances, open for the length of the block."""
    async with AsyncExitStack() as stack:
        yield {
            profile.name: Instance(
                profile,
                connector,
                await stack.enter_async_context(connector.open(profile, connector_context)),
            )
            for connector, profile in profiles
        }


async def watch(
    source: ChangeSource,
    *,
    receive: Receive,
    cursor: CursorStore,
    lease: Callable[[str], Any],
    stop: asyncio.Event,
) -> None:
    """Run a change source wherever the lease is held, again after each failure, until told to stop.

    One that fails as soon as it runs is left alone for longer and longer.
    """
    wait = FIRST_PAUSE_SECONDS
    while not stop.is_set():
        began = time.monotonic()
        try:
            async with lease(source.name):
                began = time.monotonic()
                await source.run(receive, cursor, stop)
        except Exception as error:  # noqa: BLE001 - a source that fails is started again, whatever it was
            if time.monotonic() - began > SOUND_SECONDS:
                wait = FIRST_PAUSE_SECONDS
            _log.warning("change_source_failed", source=source.name, error=repr(error), again_in=wait)
        await pause(stop, wait)
        wait = min(wait * 2, LONGEST_PAUSE_SECONDS)
