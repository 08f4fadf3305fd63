"""The system tier: opens the configured instances and mounts the capabilities of each."""

import asyncio
import contextlib
import importlib
import pkgutil
import time
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from litestar import Router

from contracts.canonical.values import LONGEST_KEY
from contracts.events.kinds import RecordChanged
from contracts.problems import Problem
from contracts.system import capabilities
from kit.database import is_refusal
from kit.http import AllowanceLimits
from kit.operations import api_of, readings
from kit.routes import router
from kit.secrets import SecretError
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
from system_apis.connector.closed import closed_instance, unresolved_references
from system_apis.connector.polling import look_now, pause
from system_apis.connector.short_keys import ShortKeys

_log = log("system_apis")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SOUND_SECONDS = 30.0  # a source that ran for so long failed for a new reason


class Head(msgspec.Struct, frozen=True):
    """The part of a profile that identifies its vendor's connector."""

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
        """Each capability's interface with the adapter that implements it."""
        return {interface_of(name): self._keyed(name) for name in self.profile.capabilities}

    def _keyed(self, capability: str) -> Any:
        adapter, most = self.opened.capabilities[capability], self.connector.key_length
        return ShortKeys(adapter, most) if most < LONGEST_KEY else adapter

    def accepts(self, change: RecordChanged) -> bool:
        """Whether a capability of the instance reads the object that changed; no other change is taken in."""
        accepted = any(change.object in readings(interface_of(name)) for name in self.profile.capabilities)
        if not accepted:
            _log.error("change_of_unread_object", instance=self.profile.name, object=change.object)
        return accepted

    def routers(self) -> list[Router]:
        """The instance's capabilities as routes."""
        return [
            router(interface, adapter, prefix_of(interface, self.profile.name))
            for interface, adapter in self.interfaces.items()
        ]


class Survey(NamedTuple):
    """The profiles of a folder, and the faults of each that cannot be used, by its file's name."""

    profiles: list[tuple[Connector, Profile]]
    faults: dict[str, list[str]]

    def all_faults(self) -> list[str]:
        """Of all profiles together."""
        return [fault for faults in self.faults.values() for fault in faults]


def prefix_of(interface: type, instance: str) -> str:
    """The path at which a capability of an instance is mounted."""
    return api_of(interface).prefix.format(instance=instance)


def interface_of(capability: str) -> type:
    """The interface of a capability by its name; raises SettingsError."""
    if capability not in capabilities():
        raise SettingsError([f"no capability is named {capability!r}"])
    return capabilities()[capability]


def connector_of(vendor: str) -> Connector:
    """The card of a vendor by its folder's name."""
    try:
        return importlib.import_module(f"system_apis.vendors.{vendor}").CONNECTOR
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("system_apis."):
            fault = f"{vendor} needs the package {error.name}: install enfilade[{vendor}]"
            raise SettingsError([fault]) from None
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
    survey = survey_profiles(folder)
    if faults := survey.all_faults():
        raise SettingsError(faults)
    return survey.profiles


def survey_profiles(folder: Path) -> Survey:
    """Every instance's profile, of a faulty one what can be read, and the faults."""
    survey = Survey([], {})
    for path in sorted(folder.glob("*.toml")):
        try:
            survey.profiles.append(_read_profile(path))
        except SettingsError as error:
            survey.profiles.append(_salvaged(path))
            survey.faults[path.stem] = error.faults
    for name, fault in _allowance_faults(survey):
        survey.faults.setdefault(name, []).append(fault)
    return survey


def _allowance_faults(survey: Survey) -> Iterator[tuple[str, str]]:
    """Instances that share an allowance and state other limits for it than the first of them."""
    first: dict[str, Profile] = {}
    for _, profile in survey.profiles:
        if not profile.allowance or profile.name in survey.faults:
            continue
        other = first.setdefault(profile.allowance, profile)
        if _allowances_of(profile) != _allowances_of(other):
            what = f"shares the allowance {profile.allowance} with {other.name}, under other limits"
            yield profile.name, f"{profile.name}: {what}"


def _allowances_of(profile: Profile) -> tuple[Any, ...]:
    """The limits that concern the vendor's allowances, and not the patience of a call."""
    general = tuple(getattr(profile.limits, name) for name in AllowanceLimits.__struct_fields__)
    return *general, profile.allowances


def _undeclared(connector: Connector, profile: Profile) -> Iterator[str]:
    """What a profile names and its connector does not declare."""
    for name in profile.capabilities:
        if name not in connector.capabilities:
            yield f"{connector.title} has no capability {name!r}"
    features = {each.name for name in connector.capabilities for each in api_of(interface_of(name)).features}
    for name in (*profile.lacks, *(feature.name for feature in connector.lacks)):
        if name not in features:
            yield f"{connector.title} has no optional feature {name!r}"
    for name in profile.allowances:
        if name not in connector.allowances:
            yield f"allowances.{name}: {connector.title} counts nothing by this name"


def _read_profile(path: Path) -> tuple[Connector, Profile]:
    connector = connector_of(read_toml(path, Head).vendor)
    profile = read_toml(path, connector.profile)
    faults = [f"{path}: {fault}" for fault in _undeclared(connector, profile)]
    if profile.name != path.stem:
        faults.insert(0, f"{path}: the instance is named {profile.name}, its file {path.stem}")
    if faults:
        raise SettingsError(faults)
    return connector, profile


def _salvaged(path: Path) -> tuple[Connector, Profile]:
    """The part of a faulty profile that routing needs; it may serve every capability of its vendor."""
    head: dict[str, Any] = {}
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                break
            with contextlib.suppress(tomllib.TOMLDecodeError):
                head |= tomllib.loads(line)
    vendor, region = str(head.get("vendor", "")), str(head.get("data_region", ""))
    connector = connector_of(vendor) if vendor in vendors() else _unknown_vendor(vendor)
    listed = head.get("capabilities")
    known = (
        tuple(name for name in listed if name in connector.capabilities) if isinstance(listed, list) else ()
    )
    profile = Profile(
        name=path.stem,
        vendor=vendor,
        environment="production" if head.get("environment") == "production" else "test",
        data_region=region,
        owner=str(head.get("owner", "")),
        capabilities=known or connector.capabilities,
    )
    return connector, profile


def _unknown_vendor(name: str) -> Connector:
    def no_account(profile: Profile, _: ConnectorContext) -> Any:
        raise SettingsError([f"{profile.name}: no vendor is named {name!r}"])

    title = name or "unknown"
    return Connector(name, title, tuple(capabilities()), Profile, no_account, lambda _, given: given)


@asynccontextmanager
async def open_instances(
    profiles: list[tuple[Connector, Profile]],
    connector_context: ConnectorContext,
    faults: Mapping[str, Sequence[str]] | None = None,
) -> AsyncIterator[dict[str, Instance]]:
    """All instances, open for the length of the block.

    An instance that cannot be opened is closed and answers with the reason; the others serve. `faults` are
    those of its profile.
    """
    async with AsyncExitStack() as stack:
        opened: dict[str, Instance] = {}
        for connector, profile in profiles:
            reasons = list((faults or {}).get(profile.name, ()))
            reasons = reasons or unresolved_references(profile, connector_context.environ)
            if not reasons:
                try:
                    one = await stack.enter_async_context(connector.open(profile, connector_context))
                    opened[profile.name] = Instance(profile, connector, one)
                    continue
                except (SettingsError, SecretError, Problem) as error:
                    if is_refusal(error):  # of no instance: the start is tried again
                        raise
                    reasons = error.faults if isinstance(error, SettingsError) else [str(error)]
                except Exception as error:  # noqa: BLE001 - a broken instance is one instance away
                    reasons = [f"it cannot be opened ({type(error).__name__}: {error})"]
            _log.error("instance_not_open", instance=profile.name, faults=reasons)
            opened[profile.name] = Instance(profile, connector, closed_instance(profile, reasons))
        yield opened


async def watch(
    source: ChangeSource,
    *,
    receive: Receive,
    cursor: CursorStore,
    lease: Callable[[str], Any],
    stop: asyncio.Event,
    look: asyncio.Event | None = None,
    failed: Callable[[Exception], Awaitable[None]] | None = None,
) -> None:
    """Run a change source wherever the lease is held, again after each failure, until it is stopped.

    Setting `look` ends its wait for the next poll. The delay grows while the source fails as soon as it runs;
    each time `failed` is called.
    """
    look_now.set(look)
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
            if failed is not None:
                await failed(error)
        await pause(stop, wait)
        wait = min(wait * 2, LONGEST_PAUSE_SECONDS)
