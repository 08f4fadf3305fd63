"""deploy: the firm's policy: who may call, on which terms, what nobody may do together, and what is where."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.interfaces import interfaces
from deploy.lifecycle import standings
from deploy.production import refuse_development
from gateway.duties import matrix_of, refuse_conflicts
from gateway.pipeline import refuse_unfit
from gateway.rulebook import Rulebook, placed, read_rulebook
from gateway.rulebook.keeping import Part
from kit.settings import SettingsError
from process_apis import reference_files
from process_apis.in_force import InForce
from process_apis.reference import Reference
from system_apis.app import read_profiles
from system_apis.card import Card, Profile


@dataclass(frozen=True, slots=True)
class Firm:
    """What routing is held against: the firm's reference data, and where its instances keep which data.

    `served` maps (instance, capability) to a region.
    """

    reference: Reference
    served: Mapping[tuple[str, str], str]


def read_firm(folder: Path) -> Firm:
    """The firm of a configuration folder; raises SettingsError with every fault."""
    faults: list[str] = []
    profiles: list[tuple[Card, Profile]] = []
    try:
        profiles = read_profiles(folder / "instances")
    except SettingsError as error:
        faults += error.faults
    try:
        firm = firm_of(profiles, reference_files.read(folder / "reference"))
    except SettingsError as error:
        raise SettingsError([*faults, *error.faults]) from None
    if faults:
        raise SettingsError(faults)
    return firm


def firm_of(profiles: Iterable[tuple[Card, Profile]], reference: Reference) -> Firm:
    """The firm with these instances and this reference data."""
    served = {(one.name, capability): one.region for _, one in profiles for capability in one.capabilities}
    return Firm(reference, served)


def misfits(rulebook: Rulebook, firm: Firm | None = None, *, production: bool = False) -> list[str]:
    """What does not fit in a policy that is written well, each with its file and line.

    Without `firm` its routing is not looked at. In production whatever is for development only does not fit.
    """
    faults: list[str] = []
    checks: list[Callable[[], None]] = [
        lambda: refuse_unfit(rulebook.settings, rulebook.consumers, standings()),
        lambda: refuse_conflicts(matrix_of(rulebook.duties, interfaces()), rulebook.consumers),
    ]
    if firm is not None:
        checks.append(lambda: _refuse_routing(rulebook, firm))
    if production:
        checks.append(lambda: refuse_development(rulebook))
    for check in checks:
        try:
            check()
        except SettingsError as error:
            faults += placed(rulebook, error).faults
    return faults


def _refuse_routing(rulebook: Rulebook, firm: Firm) -> None:
    if faults := rulebook.routing.misfits(firm.served, firm.reference.entities):
        raise SettingsError(faults)


def read_policy(folder: Path, firm: Firm, *, production: bool = False) -> Rulebook:
    """The firm's policy, fit to be in force; raises SettingsError with every fault, its file and line."""
    rulebook = read_rulebook(folder)
    if faults := misfits(rulebook, firm, production=production):
        raise SettingsError(faults)
    return rulebook


def following(in_force: InForce, firm: Firm, *, production: bool = False) -> Part:
    """The flows' part in a change of policy; it refuses whatever would not be read at a start."""

    def prepare(rulebook: Rulebook) -> Callable[[], None]:
        if faults := misfits(rulebook, firm, production=production):
            raise SettingsError(faults)
        return lambda: in_force.replace(rulebook.routing, rulebook.duties)

    return prepare
