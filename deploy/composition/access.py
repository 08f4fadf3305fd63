"""deploy: the firm's policy: consumers, plans, conflicting duties and routing."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import process_apis.app
from contracts.routing import Routing
from contracts.system import capabilities
from deploy.composition.interfaces import interfaces
from deploy.composition.lifecycle import read_lifecycles
from deploy.composition.production import refuse_development
from gateway.duties import matrix_of, refuse_conflicts
from gateway.names import KnownNames, known_names, unknown_names
from gateway.pipeline import validate
from gateway.policy_bundle import (
    CONSUMERS,
    DUTIES,
    FILES,
    POLICIES,
    ROUTING,
    PolicyBundle,
    placed,
    read_bundle,
)
from gateway.policy_bundle.reloader import Participant
from kit.settings import SettingsError
from process_apis import reference_files
from process_apis.current_policy import CurrentPolicy
from process_apis.reference import Reference
from system_apis.app import survey_profiles
from system_apis.connector import Connector, Profile

# The places that are judged by the names of another file.
_NEEDS = {
    CONSUMERS: re.compile(r"duties\.[^:]*\.roles\[|waivers\[\d+\]\.holder"),
    DUTIES: re.compile(r"consumers\.[^:]*\.roles\[|identity\.issuers\[\d+\]\.roles"),
}


@dataclass(frozen=True, slots=True)
class RoutingFacts:
    """What routing is validated against: the firm's reference data, and its instances' data regions.

    `served` maps (instance, capability) to a region; `needed` are the capabilities that the routing assigns
    to the flows which are on.
    """

    reference: Reference
    served: Mapping[tuple[str, str], str]
    needed: frozenset[str]

    def faults(self, routing: Routing) -> list[str]:
        """What does not fit in the routing, each with its place."""
        entities, there_are = self.reference.entities, capabilities()
        return routing.faults_for(self.served, entities, capabilities=there_are, needed=self.needed)


def read_routing_facts(folder: Path) -> RoutingFacts:
    """The firm of a configuration folder; raises SettingsError with every fault of its reference data.

    A faulty profile is its instance's matter alone.
    """
    return routing_facts(survey_profiles(folder / "instances").profiles, folder)


def routing_facts(profiles: Iterable[tuple[Connector, Profile]], folder: Path) -> RoutingFacts:
    """The firm with these instances, and with the reference data and flows of its configuration folder."""
    reference = reference_files.read(folder / "reference")
    served = {
        (one.name, capability): one.data_region for _, one in profiles for capability in one.capabilities
    }
    return RoutingFacts(reference, served, process_apis.app.routed_capabilities(_flows(folder)))


def _flows(folder: Path) -> dict[str, Any]:
    """The settings of the flows, without those of a file that is missing or unreadable."""
    try:
        return tomllib.loads((folder / "flows.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def names_known(facts: RoutingFacts | None = None) -> KnownNames:
    """What policy files may name; without `facts` legal entities and instances are unknown."""
    if facts is None:
        return known_names(interfaces(), read_lifecycles())
    instances = {instance for instance, _ in facts.served}
    return known_names(
        interfaces(), read_lifecycles(), entities=facts.reference.entities, instances=instances
    )


def routing_faults(
    bundle: PolicyBundle, facts: RoutingFacts | None = None, *, production: bool = False
) -> list[str]:
    """What does not fit in a policy, each with its file and line.

    Without `facts` its routing is not looked at. In production whatever is for development only does not fit.
    What two files have to do with each other is judged where the bundle has both.
    """
    faults: list[str] = []
    absent = {file for file in FILES if file not in bundle.lines} if bundle.folder else set[str]()
    checks: list[Callable[[], None]] = [
        lambda: _refuse(_judged(unknown_names(bundle, names_known(facts)), absent))
    ]
    if absent.isdisjoint((POLICIES, CONSUMERS)):
        checks.insert(0, lambda: validate(bundle.settings, bundle.consumers, read_lifecycles()))
    if absent.isdisjoint((DUTIES, CONSUMERS)):
        checks.append(lambda: refuse_conflicts(matrix_of(bundle.duties, interfaces()), bundle.consumers))
    if facts is not None and ROUTING not in absent:
        checks.append(lambda: _refuse(facts.faults(bundle.routing)))
    if production and not absent:
        checks.append(lambda: refuse_development(bundle))
    for check in checks:
        try:
            check()
        except SettingsError as error:
            faults += placed(bundle, error).faults
    return faults


def _judged(faults: list[str], absent: Collection[str]) -> list[str]:
    """The faults that do not come from the absence of a file: it may name what they miss."""
    unsure = [_NEEDS[file] for file in absent if file in _NEEDS]
    return [fault for fault in faults if not any(needs.match(fault) for needs in unsure)]


def _refuse(faults: list[str]) -> None:
    if faults:
        raise SettingsError(faults)


def read_policy(folder: Path, facts: RoutingFacts, *, production: bool = False) -> PolicyBundle:
    """The firm's policy, fit to be in force; raises SettingsError with every fault, its file and line."""
    bundle = read_bundle(folder)
    if faults := routing_faults(bundle, facts, production=production):
        raise SettingsError(faults)
    return bundle


def policy_participant(
    current_policy: CurrentPolicy, facts: RoutingFacts, *, production: bool = False
) -> Participant:
    """The flows' part in a change of policy; it refuses whatever would not be read at a start."""

    def prepare(bundle: PolicyBundle) -> Callable[[], None]:
        if faults := routing_faults(bundle, facts, production=production):
            raise SettingsError(faults)
        return lambda: current_policy.replace(bundle.routing, bundle.duties)

    return prepare
