"""deploy: validates settings and their folder before the deployment starts."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

import process_apis.app
from deploy.composition.access import RoutingFacts, names_known, read_routing_facts, routing_faults
from deploy.composition.production import production_faults
from deploy.settings import ServerSettings, examine, read_settings
from gateway.identity.issuing.personas import read_people
from gateway.names import KnownNames, roles_that_bind, unknown_claims, unknown_roles
from gateway.plans.reading import decode
from gateway.policy_bundle import read_bundle, read_valid_files
from kit import retention
from kit.secrets import SecretError, resolve
from kit.settings import SettingsError, read_text, toml_of
from kit.toml_lines import line_of, lines_of


def start_faults(environ: Mapping[str, str]) -> list[str]:
    """Everything that forbids a start with these variables and the folder that they name, a sentence each."""
    settings, faults = examine(environ)
    return [*faults, *unresolved_secrets(settings, environ), *unfitness(settings, environ)]


def unresolved_secrets(settings: ServerSettings, environ: Mapping[str, str]) -> Iterator[str]:
    """The secrets of the settings that cannot be read where they are referred to."""
    for name in ("internal_key", "master_key"):
        if reference := getattr(settings, name):
            try:
                resolve(reference, environ)
            except SecretError as error:
                yield f"ENFILADE_{name.upper()}: {error}"


def unfitness(settings: ServerSettings, environ: Mapping[str, str]) -> list[str]:
    """What forbids a start with settings that can be read: faults of the folder, and of production."""
    faults = production_faults(settings, environ) if settings.production else []
    if settings.folder.is_dir():
        faults += configuration_faults(settings.folder, production=settings.production)
    return faults


def startable_settings(environ: Mapping[str, str]) -> ServerSettings:
    """The settings of a process that may start; raises SettingsError with everything that forbids it."""
    if faults := start_faults(environ):
        raise SettingsError(faults)
    return read_settings(environ)


def configuration_faults(folder: Path, *, production: bool = False) -> list[str]:
    """All faults of profiles, reference data, routing, flows, policies and access, a sentence each."""
    return [
        *_faults_of(lambda: retention.read_rules(folder)),
        *policy_faults(folder, production=production),
        *unknown_elsewhere(folder),
    ]


def _faults_of(work: Callable[[], Any]) -> list[str]:
    try:
        work()
    except SettingsError as error:
        return error.faults
    return []


def policy_faults(folder: Path, *, production: bool = False) -> list[str]:
    """All faults of the policy files, each with its file and line, and of the reference data."""
    try:
        facts = read_routing_facts(folder)
    except SettingsError as error:
        return [*error.faults, *_policy_faults(folder, None, production=production)]
    return _policy_faults(folder, facts, production=production)


def _policy_faults(folder: Path, facts: RoutingFacts | None, *, production: bool) -> list[str]:
    bundle, faults = read_valid_files(folder)
    return [*faults, *routing_faults(bundle, facts, production=production)]


def unknown_elsewhere(folder: Path) -> list[str]:
    """What cannot be read in people.toml and flows.toml, or names what there is not."""
    try:
        facts = read_routing_facts(folder)
    except SettingsError:
        facts = None  # reported already
    return [
        *_faults_of(lambda: _check_people(folder, names_known(facts))),
        *_faults_of(lambda: _check_flows(folder / "flows.toml", names_known(facts))),
    ]


def _check_people(folder: Path, known: KnownNames) -> None:
    path = folder / "people.toml"
    people = read_people(path)
    try:
        roles = roles_that_bind(read_bundle(folder), known)
    except SettingsError:
        return  # reported already
    places = [
        fault
        for name, person in people.items()
        for fault in (
            *unknown_roles(f"people.{name}.roles", person.roles, roles),
            *unknown_claims(f"people.{name}.claims", person.claims, known),
        )
    ]
    _refuse(path, places)


def _check_flows(path: Path, known: KnownNames) -> None:
    text = read_text(path)
    sections = toml_of(text, str(path))
    flows = process_apis.app.settings_kinds()
    kind = msgspec.defstruct("Flows", [(name, flow_settings, None) for name, flow_settings in flows.items()])
    of_flows = {name: section for name, section in sections.items() if name in flows}
    faults = _faults_of(lambda: decode(of_flows, kind, str(path), text))
    places = [(name, f"there is no flow {name}") for name in sections if name not in flows]
    places += [
        (f"{name}.modes.{instance}", f"there is no instance {instance}")
        for name, settings in sections.items()
        for instance in (settings.get("modes", {}) if isinstance(settings, dict) else {})
        if known.instances is not None and instance not in known.instances
    ]
    faults += _faults_of(lambda: _refuse(path, places))
    if faults:
        raise SettingsError(faults)


def _refuse(path: Path, places: list[tuple[str, str]]) -> None:
    """Raises SettingsError with the file and line of each place."""
    if places:
        lines = lines_of(path.read_text(encoding="utf-8"))
        raise SettingsError([f"{path}:{line_of(lines, place)}: {place}: {what}" for place, what in places])
