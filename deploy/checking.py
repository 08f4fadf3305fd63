"""deploy: everything that can be wrong with a configuration folder, found before anything is started."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from deploy.access import read_policy
from gateway.identity.issuing.personas import read_people
from kit import retention
from kit.settings import SettingsError, read_toml
from process_apis import reference_files
from process_apis.systems import Routing, check_routing
from system_apis.app import read_profiles

T = TypeVar("T")


def configuration_faults(folder: Path) -> list[str]:
    """All faults of profiles, reference data, routing, flows, policies and access, a sentence each."""
    faults: list[str] = []

    def attempt(work: Callable[[], T]) -> T | None:
        try:
            return work()
        except SettingsError as error:
            faults.extend(error.faults)
            return None

    profiles = attempt(lambda: read_profiles(folder / "instances"))
    reference = attempt(lambda: reference_files.read(folder / "reference"))
    routing = attempt(lambda: read_toml(folder / "routing.toml", Routing))
    attempt(lambda: _read_flows(folder / "flows.toml"))
    attempt(lambda: retention.read_rules(folder))
    faults += policy_faults(folder)
    attempt(lambda: read_people(folder / "people.toml"))
    if profiles is not None and reference is not None and routing is not None:
        served = {(p.name, capability): p.region for _, p in profiles for capability in p.capabilities}
        faults += check_routing(routing, served, list(reference.entities))
    return faults


def policy_faults(folder: Path) -> list[str]:
    """All faults of the gateway's policy files, each with its file and line."""
    try:
        read_policy(folder)
    except SettingsError as error:
        return error.faults
    return []


def _read_flows(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"{path}: {error}"]) from None


def refuse_faults(folder: Path) -> None:
    """Raises SettingsError with all of them."""
    if faults := configuration_faults(folder):
        raise SettingsError(faults)
