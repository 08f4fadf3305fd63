"""deploy: the settings of a process of the deployment, each variable named ENFILADE_…."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from kit.settings import SettingsError, gather

TierName = Literal["gateway", "experience", "process", "system"]
TIERS: tuple[TierName, ...] = ("gateway", "experience", "process", "system")
_SCHEMES = {
    "database_url": ("postgresql", "postgresql+psycopg"),
    "cache_url": ("redis", "rediss", "unix"),
}
DEMO_CONFIG = Path(__file__).parent / "demo_config"


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process of a deployment.

    `tiers` are those that it serves (``all``, or names with commas); `role` is whether it answers requests
    (api), works on flows and watches instances (worker), or both (all). A tier that it needs and does not
    serve is called at its `…_url`. `config` is the folder of instances, reference data, routing and policies.
    `internal_address` (``host:port``) is the operators' listener: by default the port after the public one,
    on this machine alone; ``off`` for none. `deployment` ``production`` refuses whatever is for
    development only (`deploy.composition.production`). A deployment that is stopped gives notice for
    `drain_notice_seconds`, then has `drain_seconds` to finish pending requests. `run_dir` is its workers'
    shared folder; `serve` sets it.
    """

    database_url: str
    cache_url: str = ""
    config: str = str(DEMO_CONFIG)
    tiers: str = "all"
    role: Literal["all", "api", "worker"] = "all"
    host: str = "127.0.0.1"
    port: int = 8080
    internal_address: str = ""
    workers: int = 1
    replicas: int = 1
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
    trace_ratio: float = 0.1
    step_pause_seconds: float = 1.0
    step_patience_seconds: float = 1800.0
    drain_notice_seconds: float = 1.0
    drain_seconds: int = 15
    run_dir: str = ""

    @property
    def served_tiers(self) -> frozenset[TierName]:
        """The tiers that this process holds."""
        if self.tiers == "all":
            return frozenset(TIERS)
        return frozenset(msgspec.convert([name.strip() for name in self.tiers.split(",")], list[TierName]))

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
        host, port = self.internal
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def address(self) -> str:
        """Where callers reach the gateway."""
        return self.public_url or f"http://{self.host}:{self.port}"


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
    values, faults = gather(ServerSettings, "ENFILADE", environ)
    settings = ServerSettings(**{"database_url": "", **values})
    try:
        settings.served_tiers  # noqa: B018 - read only to validate it
    except msgspec.ValidationError:
        faults.append(f"ENFILADE_TIERS: {settings.tiers!r} names an unknown tier")
        settings = msgspec.structs.replace(settings, tiers="all")
    return settings, [*faults, *_faults(settings)]


def _faults(settings: ServerSettings) -> Iterator[str]:
    """What does not fit together in settings that can be read."""
    served_tiers = settings.served_tiers
    for name, schemes in _SCHEMES.items():
        url: str = getattr(settings, name)
        if url and url.partition("://")[0] not in schemes:
            yield f"ENFILADE_{name.upper()} is no address of the form {schemes[0]}://…"
    try:
        settings.internal  # noqa: B018 - read only to validate it
    except ValueError:
        yield f"ENFILADE_INTERNAL_ADDRESS: {settings.internal_address!r} is no host:port"
    if not settings.folder.is_dir():
        yield f"ENFILADE_CONFIG: there is no folder {settings.config}"
    needed = {"gateway": (), "experience": ("process",), "process": ("system",), "system": ()}
    for tier in served_tiers:
        for other in needed[tier]:
            if other not in served_tiers and not getattr(settings, f"{other}_url"):
                yield f"ENFILADE_{other.upper()}_URL is not set, and the {tier} tier needs it"
    if served_tiers != frozenset(TIERS) and not settings.internal_key:
        yield "ENFILADE_INTERNAL_KEY is not set (env:NAME or file:PATH); split tiers need it"
