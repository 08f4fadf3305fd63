"""deploy: the checks of `enfilade doctor`."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import text

from contracts.problems import Unavailable
from deploy.composition.checking import configuration_faults, start_faults, unresolved_secrets
from deploy.composition.instances import check
from deploy.demo.cast import read_roles
from deploy.process.ports import port_fault
from deploy.process.sandboxes import port_of
from deploy.process.stack import Stack, has_database, launcher, running, settings_beside
from deploy.settings import DEMO_CONFIG, ServerSettings, examine, is_production
from kit.cache import Cache
from kit.database import Database
from kit.database.refusals import remedy_of
from kit.settings import SettingsError
from sandbox.folders import vendors
from system_apis.app import survey_profiles
from system_apis.connector import Connector, Profile
from system_apis.connector.closed import FIX, unresolved_references

LOCK = Path(__file__).parents[2] / "requirements.lock"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(.*)$", re.MULTILINE)
_WANTED_PYTHON = (3, 11)


class Diagnosis(msgspec.Struct, frozen=True):
    """The result of one check: its subject, whether it passed, the observation, and the remedy."""

    what: str
    ok: bool
    observed: str
    fix: str = ""


def diagnose(
    folder: Path, environ: Mapping[str, str], port: int | None, sandbox_port: int
) -> list[Diagnosis]:
    """All findings, in the order of the checks at a start."""
    stack = running(folder)
    findings = [_python(), _packages(LOCK), _data(folder)]
    production = is_production(environ)
    findings += _production(environ) if production else []
    try:
        settings = settings_beside(folder, environ)
    except SettingsError as error:
        return [*findings, *([] if production else _invalid(error.faults, environ))]
    secrets = list(unresolved_secrets(settings, environ))
    findings += (
        []
        if production
        else [*_faults("settings", secrets, "correct the variable"), *_configuration(settings)]
    )
    findings += [] if stack else _ports(settings, port or settings.port, sandbox_port)
    known = {**(stack.environ if stack else {}), **environ}
    return [*findings, *asyncio.run(_servers(settings, stack)), *asyncio.run(_instances(settings, known))]


def _invalid(faults: list[str], environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """The faults of the settings, and those of the configuration if the settings name one."""
    settings, _ = examine(environ)
    yield from _faults("settings", [*faults, *unresolved_secrets(settings, environ)], "correct the variable")
    if settings.folder.is_dir():
        yield from _configuration(settings)


def _python() -> Diagnosis:
    python = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info[:2] >= _WANTED_PYTHON
    return Diagnosis("Python", ok, python, "" if ok else "install Python 3.11 or newer and run `make run`")


def _packages(lock: Path) -> Diagnosis:
    if not lock.exists():
        return Diagnosis("packages", ok=True, observed="not compared: this installation has no lock file")
    wrong = []
    pinned = _PINNED.findall(lock.read_text(encoding="utf-8"))
    for name, wanted, condition in pinned:
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "" if ";" not in condition else wanted  # meant for another platform
        if installed != wanted:
            wrong.append(f"{name} {installed or 'missing'} instead of {wanted}")
    if wrong:
        return Diagnosis(
            "packages", ok=False, observed="; ".join(wrong), fix="make run (it installs the lock)"
        )
    return Diagnosis("packages", ok=True, observed=f"{len(pinned)}, as in the lock")


def _data(folder: Path) -> Diagnosis:
    pid = launcher(folder)
    if pid:
        return Diagnosis("data folder", ok=True, observed=f"{folder}, in use by process {pid}")
    nearest = next(part for part in (folder, *folder.parents) if part.exists())
    if not os.access(nearest, os.W_OK | os.X_OK) or not nearest.is_dir():
        return Diagnosis(
            "data folder", ok=False, observed=f"{folder} cannot be written", fix="choose --data DIR"
        )
    return Diagnosis(
        "data folder", ok=True, observed=str(folder) if folder.exists() else f"{folder}, created at the start"
    )


def _production(environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Every reason for which `enfilade serve` would refuse to start, in its words."""
    if faults := start_faults(environ):
        return _faults("production", faults, "")
    return iter([Diagnosis("production", ok=True, observed="settings and configuration are valid for it")])


def _configuration(settings: ServerSettings) -> Iterator[Diagnosis]:
    faults = configuration_faults(settings.folder)
    if faults:
        return _faults("configuration", faults, "correct the file")
    return iter([Diagnosis("configuration", ok=True, observed=str(settings.folder))])


async def _instances(settings: ServerSettings, environ: Mapping[str, str]) -> list[Diagnosis]:
    """What prevents each instance from opening, and the first failed checks of the others."""
    survey = survey_profiles(settings.folder / "instances")
    # The demo's credentials are known while `enfilade up` runs.
    demo = settings.folder.resolve() == DEMO_CONFIG.resolve()
    checks = [
        _instance(connector, profile, settings, environ, survey.faults)
        for connector, profile in survey.profiles
        if not (demo and unresolved_references(profile, environ))
    ]
    return [finding for findings in await asyncio.gather(*checks) for finding in findings]


async def _instance(
    connector: Connector,
    profile: Profile,
    settings: ServerSettings,
    environ: Mapping[str, str],
    faults: Mapping[str, Sequence[str]],
) -> list[Diagnosis]:
    what = f"instance {profile.name}"
    reasons = faults.get(profile.name) or unresolved_references(profile, environ)
    if reasons:
        return list(_faults(what, list(reasons), FIX))
    return [*_addresses(connector, profile, settings), await _checked(connector, profile, settings, environ)]


def _addresses(connector: Connector, profile: Profile, settings: ServerSettings) -> Iterator[Diagnosis]:
    if connector.registers_webhooks(profile) and not settings.public_url:
        observed = "ENFILADE_PUBLIC_URL is not set, so its addresses are not registered at the vendor"
        fix = "set it to the https address at which the vendor reaches the gateway"
        yield Diagnosis(f"webhooks of {profile.name}", ok=False, observed=observed, fix=fix)


async def _checked(
    connector: Connector, profile: Profile, settings: ServerSettings, environ: Mapping[str, str]
) -> Diagnosis:
    what = f"instance {profile.name}"
    report = await check(connector, profile, settings, environ, {})
    wrong = [finding for finding in report.findings if not finding.ok]
    if not wrong:
        return Diagnosis(what, ok=True, observed=f"{len(report.findings)} points checked")
    detail = f"{wrong[0].name}: {wrong[0].detail}" + (f", and {len(wrong) - 1} more" if wrong[1:] else "")
    return Diagnosis(what, ok=False, observed=detail, fix=f"enfilade instance check {profile.name}")


def _faults(what: str, faults: list[str], fix: str) -> Iterator[Diagnosis]:
    return (Diagnosis(what, ok=False, observed=fault, fix=fix) for fault in faults)


def _ports(settings: ServerSettings, port: int, sandbox_port: int) -> Iterator[Diagnosis]:
    wanted = {port: ("gateway", "--port")}
    if not settings.production:  # production has no stand-ins
        playing = {role.vendor for role in read_roles(settings.folder)} & set(vendors())
        wanted |= {port_of(vendor, sandbox_port): (vendor, "--sandbox-port") for vendor in sorted(playing)}
    for number, (title, option) in wanted.items():
        fault = port_fault(settings.host, number)
        fix = f"stop the process that listens there, or choose another port with {option}" if fault else ""
        yield Diagnosis(f"port {number} ({title})", fault is None, fault or "free", fix)


async def _servers(settings: ServerSettings, stack: Stack | None) -> list[Diagnosis]:
    if not has_database(settings):
        return [Diagnosis("database", ok=True, observed="none configured: `enfilade up` starts its own")]
    findings = [await _database(settings.database_url)]
    if settings.cache_url:
        findings.append(await _cache(settings.cache_url))
    if stack is not None:
        addresses = {"gateway": f"{stack.gateway}/health/ready"}
        if stack.internal:
            addresses["internal listener"] = f"{stack.internal}/health/ready"
        addresses |= {name: f"{url}/__control/health" for name, url in stack.sandboxes.items()}
        findings += [await _answers(name, url) for name, url in addresses.items()]
    return findings


async def _database(url: str) -> Diagnosis:
    database = Database(url)
    try:
        async with database.connect() as connection:
            migrated = await connection.scalar(text("SELECT to_regclass('enfilade.runs') IS NOT NULL"))
    except Unavailable as problem:
        return Diagnosis("database", ok=False, observed=problem.detail, fix=remedy_of(problem))
    finally:
        await database.close()
    if not migrated:
        return Diagnosis("database", ok=True, observed="answers; empty, `enfilade serve` creates its tables")
    return Diagnosis("database", ok=True, observed="answers, with Enfilade's tables")


async def _cache(url: str) -> Diagnosis:
    cache = Cache(url)
    try:
        refusal = await cache.refusal()
    finally:
        await cache.close()
    if refusal is None:
        return Diagnosis("cache", ok=True, observed="answers")
    fix = f"{refusal.remedy} (the deployment also works without)"
    return Diagnosis("cache", ok=False, observed=refusal.detail, fix=fix)


async def _answers(name: str, url: str) -> Diagnosis:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            answer = await http.get(url)
    except httpx.TransportError:
        return Diagnosis(
            name, ok=False, observed=f"{url} does not answer", fix="enfilade down, then enfilade up"
        )
    ok = answer.is_success
    return Diagnosis(name, ok, f"{url}: {answer.status_code}", "" if ok else "read the server's log")
