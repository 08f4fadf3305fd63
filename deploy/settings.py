"""deploy: the settings of a process of the house, each variable named ENFILADE_…."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from kit.settings import SettingsError, load

Floor = Literal["gateway", "experience", "process", "system"]
FLOORS: tuple[Floor, ...] = ("gateway", "experience", "process", "system")
STORY = Path(__file__).parent / "story"


class HouseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What one process of the house is told.

    `floors` are those that it holds (``all``, or names with commas); `role` says whether it answers requests
    (api), works on flows and watches instances (worker), or both (all). A floor that it needs and does not
    hold is reached at its `…_url`. `config` is the folder of instances, reference data, routing and policies.
    `internal_address` (``host:port``) is where operators ask: the port after the public one, on this machine
    alone, unless another is given; ``off`` for none. Told to stop, a house says so for `drain_notice_seconds`
    and then has `drain_seconds` to finish what it began. `run_dir` is where its workers meet; `serve` sets
    it.
    """

    database_url: str
    cache_url: str = ""
    config: str = str(STORY)
    floors: str = "all"
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
    def held(self) -> frozenset[Floor]:
        """The floors that this process holds."""
        if self.floors == "all":
            return frozenset(FLOORS)
        return frozenset(msgspec.convert([name.strip() for name in self.floors.split(",")], list[Floor]))

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


def read_settings(environ: Mapping[str, str]) -> HouseSettings:
    """The settings; raises SettingsError with every fault."""
    settings = load(HouseSettings, "ENFILADE", environ)
    faults = []
    try:
        held = settings.held
    except msgspec.ValidationError:
        fault = f"ENFILADE_FLOORS: {settings.floors!r} names a floor that there is not"
        raise SettingsError([fault]) from None
    try:
        settings.internal  # noqa: B018 - asked only whether it can be read
    except ValueError:
        faults.append(f"ENFILADE_INTERNAL_ADDRESS: {settings.internal_address!r} is no host:port")
    if not settings.folder.is_dir():
        faults.append(f"ENFILADE_CONFIG: there is no folder {settings.config}")
    needed = {"gateway": (), "experience": ("process",), "process": ("system",), "system": ()}
    for floor in held:
        faults += [
            f"ENFILADE_{other.upper()}_URL is not set, and the {floor} floor needs it"
            for other in needed[floor]
            if other not in held and not getattr(settings, f"{other}_url")
        ]
    if held != frozenset(FLOORS) and not settings.internal_key:
        faults.append("ENFILADE_INTERNAL_KEY is not set (env:NAME or file:PATH); split floors need it")
    if settings.deployment == "production" and not settings.master_key:
        faults.append("ENFILADE_MASTER_KEY is not set (env:NAME or file:PATH); production needs it")
    if faults:
        raise SettingsError(faults)
    return settings
