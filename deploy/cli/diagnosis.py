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
from deploy.composition.checking import configuration_faults, start_faults
from deploy.composition.instances import check
from deploy.demo.cast import read_roles
from deploy.process.ports import port_fault
from deploy.process.sandboxes import port_of
from deploy.process.stack import Stack, has_database, launcher, running, settings_beside
from deploy.settings import DEMO_CONFIG, ServerSettings, is_production
from kit.cache import Cache
from kit.database import Database
from kit.settings import SettingsError
from sandbox.folders import vendors
from system_apis.app import survey_profiles
from system_apis.connector import Connector, Profile
from system_apis.connector.closed import FIX, unresolved_references

LOCK = Path(__file__).parents[2] / "requirements.lock"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(.*)$", re.MULTILINE)
_WANTED_PYTHON = (3, 11)


class Finding(msgspec.Struct, frozen=True):
    """The result of one check: its subject, whether it passed, the observation, and the remedy."""

    what: str
    ok: bool
    found: str
    fix: str = ""


def diagnose(folder: Path, environ: Mapping[str, str], port: int | None, sandbox_port: int) -> list[Finding]:
    """All findings, in the order of the checks at a start."""
    stack = running(folder)
    findings = [_python(), _packages(LOCK), _data(folder)]
    production = is_production(environ)
    findings += _production(environ) if production else []
    try:
        settings = settings_beside(folder, environ)
    except SettingsError as error:
        faults = [] if production else _faults("settings", error.faults, "correct the variable")
        return [*findings, *faults]
    findings += [] if production else _configuration(settings)
    findings += [] if stack else _ports(settings, port or settings.port, sandbox_port)
    known = {**(stack.environ if stack else {}), **environ}
    return [*findings, *asyncio.run(_servers(settings, stack)), *asyncio.run(_instances(settings, known))]


def _python() -> Finding:
    python = ".".join(str(part) for part in sys.version_info[:3])
    ok = sys.version_info[:2] >= _WANTED_PYTHON
    return Finding("Python", ok, python, "" if ok else "install Python 3.11 or newer and run `make run`")


def _packages(lock: Path) -> Finding:
    if not lock.exists():
        return Finding("packages", ok=True, found="not compared: this installation has no lock file")
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
        return Finding("packages", ok=False, found="; ".join(wrong), fix="make run (it installs the lock)")
    return Finding("packages", ok=True, found=f"{len(pinned)}, as in the lock")


def _data(folder: Path) -> Finding:
    pid = launcher(folder)
    if pid:
        return Finding("data folder", ok=True, found=f"{folder}, in use by process {pid}")
    nearest = next(part for part in (folder, *folder.parents) if part.exists())
    if not os.access(nearest, os.W_OK | os.X_OK) or not nearest.is_dir():
        return Finding("data folder", ok=False, found=f"{folder} cannot be written", fix="choose --data DIR")
    return Finding(
        "data folder", ok=True, found=str(folder) if folder.exists() else f"{folder}, created at the start"
    )


def _production(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every reason for which `enfilade serve` would refuse to start, in its words."""
    if faults := start_faults(environ):
        return _faults("production", faults, "")
    return iter([Finding("production", ok=True, found="settings and configuration are valid for it")])


def _configuration(settings: ServerSettings) -> Iterator[Finding]:
    faults = configuration_faults(settings.folder)
    if faults:
        return _faults("configuration", faults, "correct the file")
    return iter([Finding("configuration", ok=True, found=str(settings.folder))])


async def _instances(settings: ServerSettings, environ: Mapping[str, str]) -> list[Finding]:
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
) -> list[Finding]:
    what = f"instance {profile.name}"
    reasons = faults.get(profile.name) or unresolved_references(profile, environ)
    if reasons:
        return list(_faults(what, list(reasons), FIX))
    return [*_addresses(connector, profile, settings), await _checked(connector, profile, settings, environ)]


def _addresses(connector: Connector, profile: Profile, settings: ServerSettings) -> Iterator[Finding]:
    if connector.registers_webhooks(profile) and not settings.public_url:
        found = "ENFILADE_PUBLIC_URL is not set, so its addresses are not registered at the vendor"
        fix = "set it to the https address at which the vendor reaches the gateway"
        yield Finding(f"webhooks of {profile.name}", ok=False, found=found, fix=fix)


async def _checked(
    connector: Connector, profile: Profile, settings: ServerSettings, environ: Mapping[str, str]
) -> Finding:
    what = f"instance {profile.name}"
    report = await check(connector, profile, settings, environ, {})
    wrong = [finding for finding in report.findings if not finding.ok]
    if not wrong:
        return Finding(what, ok=True, found=f"{len(report.findings)} points checked")
    detail = f"{wrong[0].name}: {wrong[0].detail}" + (f", and {len(wrong) - 1} more" if wrong[1:] else "")
    return Finding(what, ok=False, found=detail, fix=f"enfilade instance check {profile.name}")


def _faults(what: str, faults: list[str], fix: str) -> Iterator[Finding]:
    return (Finding(what, ok=False, found=fault, fix=fix) for fault in faults)


def _ports(settings: ServerSettings, port: int, sandbox_port: int) -> Iterator[Finding]:
    wanted = {port: ("gateway", "--port")}
    if not settings.production:  # production has no stand-ins
        playing = {role.vendor for role in read_roles(settings.folder)} & set(vendors())
        wanted |= {port_of(vendor, sandbox_port): (vendor, "--sandbox-port") for vendor in sorted(playing)}
    for number, (title, option) in wanted.items():
        fault = port_fault(settings.host, number)
        fix = f"stop the process that listens there, or choose another port with {option}" if fault else ""
        yield Finding(f"port {number} ({title})", fault is None, fault or "free", fix)


async def _servers(settings: ServerSettings, stack: Stack | None) -> list[Finding]:
    if not has_database(settings):
        return [Finding("database", ok=True, found="none configured: `enfilade up` starts its own")]
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


async def _database(url: str) -> Finding:
    database = Database(url)
    try:
        async with database.connect() as connection:
            migrated = await connection.scalar(text("SELECT to_regclass('enfilade.runs') IS NOT NULL"))
    except Unavailable:
        fix = "start it, or correct ENFILADE_DATABASE_URL"
        return Finding("database", ok=False, found="does not answer", fix=fix)
    finally:
        await database.close()
    if not migrated:
        return Finding("database", ok=True, found="answers; empty, `enfilade serve` creates its tables")
    return Finding("database", ok=True, found="answers, with Enfilade's tables")


async def _cache(url: str) -> Finding:
    cache = Cache(url)
    try:
        answers = await cache.healthy()
    finally:
        await cache.close()
    fix = "" if answers else "start it, or correct ENFILADE_CACHE_URL (the deployment also works without)"
    return Finding("cache", answers, "answers" if answers else "does not answer", fix)


async def _answers(name: str, url: str) -> Finding:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            answer = await http.get(url)
    except httpx.TransportError:
        return Finding(name, ok=False, found=f"{url} does not answer", fix="enfilade down, then enfilade up")
    ok = answer.is_success
    return Finding(name, ok, f"{url}: {answer.status_code}", "" if ok else "read the server's log")
