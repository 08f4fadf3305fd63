"""deploy: the settings of a process of the deployment, each variable named ENFILADE_…."""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from gateway.pages import RESERVED
from kit.settings import SettingsError, gather
from kit.telemetry.collectors import collector_faults

TierName = Literal["gateway", "experience", "process", "system"]
TIERS: tuple[TierName, ...] = ("gateway", "experience", "process", "system")
_SCHEMES = {
    "database_url": ("postgresql", "postgresql+psycopg"),
    "cache_url": ("redis", "rediss", "unix"),
}
_CONVENTIONAL = {"database_url": "DATABASE_URL", "cache_url": "REDIS_URL", "port": "PORT"}
_NO_ADDRESS = "is no http address"
_PUBLIC_PATH = re.compile(r"(/[A-Za-z0-9._~\-]+)*")
LAST_SECONDS = 1.0
"""The time, when the deployment stops, for a request whose connection was accepted."""
_END_SECONDS = 5.0  # for killing workers that are left, and for the server's own exit, on a busy machine
DEMO_CONFIG = Path(__file__).parent / "demo_config"


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process of a deployment.

    `tiers` are those that it serves (``all``, or names with commas); `role` is whether it answers requests
    (api), works on flows and watches instances (worker), or both (all). A tier that it needs and does not
    serve is called at its `…_url`. `config` is the folder of instances, reference data, routing and policies.
    `internal_address` (``host:port``) is the operators' listener: by default the port after the public one,
    on this machine alone; ``off`` for none. `deployment` ``production`` refuses whatever is for
    development only (`deploy.composition.production`). A deployment that is stopped gives notice for
    `drain_notice_seconds`, then has `drain_seconds` to finish pending requests. A worker whose event loop
    stands still for `worker_silence_seconds` is killed and replaced. A connection is closed after
    `idle_seconds` without a request (longer than a balancer keeps it, or it sends requests into connections
    that are being closed); the head of a request must arrive within `head_seconds`. Connections that
    have not sent a whole head are closed, the newest first, beyond `pending_heads_per_address` of one address
    (of IPv6: one /64; not of `wire.trusted_proxies`) and beyond `pending_heads` together, per worker.
    `run_dir` is its workers' shared folder; `serve` sets it.
    """

    database_url: str
    cache_url: str = ""
    config: str = str(DEMO_CONFIG)
    tiers: str = "all"
    role: Literal["all", "api", "worker"] = "all"
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    internal_address: str = ""
    workers: Annotated[int, Meta(ge=1)] = 1
    replicas: Annotated[int, Meta(ge=1)] = 1
    executor: str = ""
    deployment: Literal["test", "production"] = "test"
    data_dir: str = ".enfilade"
    internal_key: str = ""
    master_key: str = ""
    audit_anchors: str = ""
    system_url: str = ""
    process_url: str = ""
    experience_url: str = ""
    public_url: str = ""
    log_level: str = "info"
    log_pretty: bool = False
    otlp_endpoint: str = ""
    trace_ratio: Annotated[float, Meta(ge=0, le=1)] = 0.1
    step_pause_seconds: float = 1.0
    step_patience_seconds: float = 1800.0
    idle_seconds: Annotated[int, Meta(ge=1)] = 75
    head_seconds: Annotated[float, Meta(gt=0)] = 5.0
    pending_heads_per_address: Annotated[int, Meta(ge=1)] = 64
    pending_heads: Annotated[int, Meta(ge=1)] = 256
    drain_notice_seconds: float = 1.0
    drain_seconds: int = 15
    worker_silence_seconds: Annotated[float, Meta(ge=1)] = 15.0
    run_dir: str = ""

    @property
    def served_tiers(self) -> frozenset[TierName]:
        """The tiers that this process holds."""
        if self.tiers == "all":
            return frozenset(TIERS)
        return frozenset(msgspec.convert([name.strip() for name in self.tiers.split(",")], list[TierName]))

    @property
    def stop_seconds(self) -> float:
        """The longest that a server takes to stop: who started it kills it after that, and not before."""
        return self.drain_notice_seconds + LAST_SECONDS + self.drain_seconds + _END_SECONDS

    @property
    def logs_for_people(self) -> bool:
        """Whether log lines are for people: where it is asked for, or a terminal shows them."""
        return self.log_pretty or sys.stdout.isatty()

    @property
    def production(self) -> bool:
        """Whether this is a production deployment."""
        return self.deployment == "production"

    @property
    def folder(self) -> Path:
        """The folder of the configuration."""
        return Path(self.config)

    @property
    def internal(self) -> tuple[str, int] | None:
        """Host and port of the internal listener, None where there is none."""
        if self.internal_address == "off":
            return None
        host, _, port = (self.internal_address or f"127.0.0.1:{self.port + 1}").rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def internal_url(self) -> str:
        """Where operators reach the internal listener; empty where there is none."""
        if self.internal is None:
            return ""
        return f"http://{authority(*self.internal)}"

    @property
    def address(self) -> str:
        """Where callers reach the gateway, without a slash at the end."""
        return self.public_url.rstrip("/") or self.own_address

    @property
    def own_address(self) -> str:
        """Where this machine reaches the gateway, whatever proxy stands before it."""
        return f"http://{authority(self.host, self.port)}"


def authority(host: str, port: int) -> str:
    """Host and port as an address has them: IPv6 in brackets (RFC 3986 §3.2.2)."""
    host = host.strip("[]")
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def with_conventional(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables, with those of platforms (DATABASE_URL, REDIS_URL, PORT) in the place of unset ones.

    ``postgres://`` is ``postgresql://``, as the libraries of PostgreSQL read it.
    """
    variables = dict(environ)
    for name, conventional in _CONVENTIONAL.items():
        value = variables.get(f"ENFILADE_{name.upper()}") or variables.get(conventional, "")
        if value:
            variables[f"ENFILADE_{name.upper()}"] = re.sub("^postgres://", "postgresql://", value)
    return variables


def is_production(environ: Mapping[str, str]) -> bool:
    """Whether these variables set production, also when others are invalid."""
    return environ.get("ENFILADE_DEPLOYMENT") == "production"


def read_settings(environ: Mapping[str, str]) -> ServerSettings:
    """The settings; raises SettingsError with every fault."""
    settings, faults = examine(environ)
    if faults:
        raise SettingsError(faults)
    return settings


def examine(environ: Mapping[str, str]) -> tuple[ServerSettings, list[str]]:
    """The settings, defaults in the place of what cannot be read, and every fault."""
    environ = with_conventional(environ)
    values, faults = gather(ServerSettings, "ENFILADE", environ)
    settings = ServerSettings(**{"database_url": "", **values})
    try:
        settings.served_tiers  # noqa: B018 - read only to validate it
    except msgspec.ValidationError:
        faults.append(f"ENFILADE_TIERS: {settings.tiers!r} names an unknown tier")
        settings = msgspec.structs.replace(settings, tiers="all")
    return settings, [*faults, *collector_faults(settings.otlp_endpoint, environ), *_faults(settings)]


def _faults(settings: ServerSettings) -> Iterator[str]:
    """What does not fit together in settings that can be read."""
    served_tiers = settings.served_tiers
    yield from _store_faults(settings)
    try:
        settings.internal  # noqa: B018 - read only to validate it
    except ValueError:
        yield f"ENFILADE_INTERNAL_ADDRESS: {settings.internal_address!r} is no host:port"
    fault = _public_fault(settings.public_url) if settings.public_url else ""
    if fault and not (fault == _NO_ADDRESS and settings.production):  # which says what an address must be
        yield f"ENFILADE_PUBLIC_URL: {settings.public_url} {fault}"
    if not settings.folder.is_dir():
        yield f"ENFILADE_CONFIG: there is no folder {settings.config}"
    needed = {"gateway": (), "experience": ("process",), "process": ("system",), "system": ()}
    for tier in served_tiers:
        for other in needed[tier]:
            if other not in served_tiers and not getattr(settings, f"{other}_url"):
                yield f"ENFILADE_{other.upper()}_URL is not set, and the {tier} tier needs it"
    if served_tiers != frozenset(TIERS) and not settings.internal_key:
        yield "ENFILADE_INTERNAL_KEY is not set (env:NAME or file:PATH); split tiers need it"


def _store_faults(settings: ServerSettings) -> Iterator[str]:
    """The addresses of stores that are none."""
    for name, schemes in _SCHEMES.items():
        url: str = getattr(settings, name)
        if url and url.partition("://")[0] not in schemes:
            yield f"ENFILADE_{name.upper()} is no address of the form {schemes[0]}://…"


def _public_fault(url: str) -> str:
    """Why an address cannot be the gateway's public one; empty where it can."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _NO_ADDRESS
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return _NO_ADDRESS
    if parts.query or parts.fragment:
        return "has more than a path after the host"
    path = parts.path.rstrip("/")
    if not _PUBLIC_PATH.fullmatch(path):
        return "has a path with other characters than letters, digits, '.', '_', '-', '~'"
    if path and path.split("/")[1] in {*RESERVED, ".well-known"}:
        # Behind a proxy that strips the path, both would begin alike.
        return "has a path that begins as one of the gateway's own: choose another"
    return ""
