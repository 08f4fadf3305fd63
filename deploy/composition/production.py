"""deploy: what is for development and the demo only, and what a production deployment therefore refuses."""

import ipaddress
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from deploy.embedded import running
from deploy.settings import DEMO_CONFIG, ServerSettings
from gateway.plans import read_consumers
from gateway.policy_bundle import PolicyBundle
from kit import clock
from kit.secrets import SecretError, literal
from kit.settings import SettingsError
from system_apis.app import survey_profiles
from system_apis.connector import Profile


def production_faults(settings: ServerSettings, environ: Mapping[str, str]) -> list[str]:
    """What production refuses in variables and files, except in the policy; each with what to do."""
    return [
        *_variables(settings),
        *_stores(settings),
        *_people(settings.folder),
        *_profiles(settings, environ),
        *_reference(settings.folder / "reference"),
    ]


def refuse_development(bundle: PolicyBundle) -> None:
    """Raises SettingsError with everything in a policy that is for development only, each after its place."""
    if faults := [*_identity(bundle), *_consumers(bundle)]:
        raise SettingsError(faults)


def _variables(settings: ServerSettings) -> Iterator[str]:
    if settings.folder.resolve() == DEMO_CONFIG.resolve():
        yield "ENFILADE_CONFIG is not set, or names the demo's folder: name a folder of your own"
    if not settings.master_key:
        yield "ENFILADE_MASTER_KEY is not set (env:NAME or file:PATH); production needs it"
    if "gateway" in settings.served_tiers and not settings.public_url:
        yield "ENFILADE_PUBLIC_URL is not set: set it to the https address at which callers reach the gateway"
    elif settings.public_url and (fault := _address_fault(settings.public_url)):
        yield f"ENFILADE_PUBLIC_URL: {settings.public_url} {fault}: set the https address that callers use"
    if clock.is_moved():
        yield "ENFILADE_CLOCK_OFFSET moves the clock, for tests only: unset it"


def _stores(settings: ServerSettings) -> Iterator[str]:
    """The embedded stores run only while `enfilade up` does."""
    embedded = running(settings.data_dir)
    if embedded is None:
        return
    if settings.database_url in (embedded.database_url, embedded.tcp_database_url):
        yield "ENFILADE_DATABASE_URL is the embedded PostgreSQL's: name a PostgreSQL of your own"
    if settings.cache_url in (embedded.cache_url, embedded.tcp_cache_url):
        yield "ENFILADE_CACHE_URL is the embedded Valkey's: name a Valkey or Redis of your own"


def _people(folder: Path) -> Iterator[str]:
    path = folder / "people.toml"
    if path.exists():
        yield f"{path}: its people sign in without a password, at the embedded issuer: remove the file"


def _profiles(settings: ServerSettings, environ: Mapping[str, str]) -> Iterator[str]:
    folder = settings.folder / "instances"
    survey = survey_profiles(folder)
    for _, profile in survey.profiles:
        if profile.name in survey.faults:
            continue  # it is not opened
        path = folder / f"{profile.name}.toml"
        if profile.environment == "test":
            yield f'{path}: environment is "test": name the production account, or remove the profile'
        elif "system" in settings.served_tiers:
            yield from (f"{path}: {fault}" for fault in _connection(profile, environ))


def _connection(profile: Profile, environ: Mapping[str, str]) -> Iterator[str]:
    """The addresses of a profile at which credentials would be sent without TLS, or to a stand-in."""
    connection = getattr(profile, "connection", None)
    for name, value in msgspec.to_builtins(connection).items() if connection is not None else ():
        if not name.endswith("_url") or not value:
            continue
        try:
            address = literal(value, environ)
        except SecretError:
            continue  # reported where the instance is opened
        if fault := _address_fault(address):
            yield f"connection.{name}: {address} {fault}: name the vendor's own address"


def _reference(folder: Path) -> Iterator[str]:
    """The faults of reference data that is the demo's."""
    for path in sorted(folder.glob("*.toml")):
        model = DEMO_CONFIG / "reference" / path.name
        if model.exists() and _data(path) == _data(model):
            yield f"{path}: equals the demo's: put your own firm's data there"


def _data(path: Path) -> object:
    try:
        return {**tomllib.loads(path.read_text(encoding="utf-8")), "version": None}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return path  # equal to nothing; reported as a fault of the configuration


def _identity(bundle: PolicyBundle) -> Iterator[str]:
    identity = bundle.settings.identity
    if identity.embedded_issuer:
        yield (
            "identity.embedded_issuer: issues tokens without a password: set it to false "
            "and name your identity provider under identity.issuers"
        )
    if identity.api_keys == "test":
        yield 'identity.api_keys: "test" keys are not for production: set "live", or leave it out'
    for index, one in enumerate(identity.issuers):
        if fault := _address_fault(one.issuer):
            yield f"identity.issuers[{index}].issuer: {one.issuer} {fault}: name your provider's own address"


def _consumers(bundle: PolicyBundle) -> Iterator[str]:
    demo = read_consumers(DEMO_CONFIG / "consumers.toml")
    for name, consumer in bundle.consumers.items():
        if demo.get(name) == consumer:
            yield f"consumers.{name}: is the demo's: remove it, or write what your own consumer is granted"
        elif "*.*.*" in consumer.scopes:
            yield f"consumers.{name}.scopes: *.*.* grants everything: name the tiers and APIs that it needs"


def _address_fault(url: str) -> str:
    """Why others cannot safely call an address; empty where they can."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is no https address"
    host = parts.hostname or ""
    if parts.scheme != "https" or not host:
        return "is no https address"
    address = _numeric(host)
    if address is None:
        return "is this machine alone" if f".{host}".endswith(".localhost") else ""
    if address.is_unspecified:
        return "is an address to listen at, which no caller can reach"
    return "is this machine alone" if address.is_loopback else ""


def _numeric(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a host is written as, None for a name."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
