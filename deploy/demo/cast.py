"""deploy/demo: who plays: the instance of each capability, as the configuration has it."""

from pathlib import Path
from typing import Any

import msgspec

from contracts.routing import ANY, Routing
from deploy.errors import CommandError

SALES = "crm-screen"
CRM, ERP, PSA = "crm", "erp", "psa"


class Role(msgspec.Struct, frozen=True):
    """An instance that plays, and whose system it is."""

    instance: str
    vendor: str


class _Profile(msgspec.Struct, frozen=True):
    name: str
    vendor: str
    capabilities: tuple[str, ...]


def read_cast(config: Path) -> dict[str, Role]:
    """The player of each capability: the CRM of the sales screen, and the systems of every other entity.

    Raises CommandError when the configuration names none.
    """
    profiles = [
        msgspec.toml.decode(path.read_bytes(), type=_Profile)
        for path in sorted((config / "instances").glob("*.toml"))
    ]
    routing = msgspec.toml.decode((config / "routing.toml").read_bytes(), type=Routing)
    wanted = {
        CRM: _screen(config),
        ERP: routing.instance_for(ERP, ANY),
        PSA: routing.instance_for(PSA, ANY),
    }
    return {capability: _role(profiles, capability, name) for capability, name in wanted.items()}


def vendors_in(config: Path) -> list[str]:
    """The vendors of all instances of a configuration, each once."""
    paths = (config / "instances").glob("*.toml")
    return sorted({msgspec.toml.decode(path.read_bytes(), type=_Profile).vendor for path in paths})


def _screen(config: Path) -> str:
    """The instance to which the sales screen belongs."""
    consumers: dict[str, Any] = msgspec.toml.decode((config / "consumers.toml").read_bytes())["consumers"]
    return consumers.get(SALES, {}).get("claims", {}).get("instance", "")


def _role(profiles: list[_Profile], capability: str, instance: str) -> Role:
    serving = [one for one in profiles if capability in one.capabilities]
    chosen = [one for one in serving if one.name == instance] or serving
    if not chosen:
        raise CommandError(f"The demo needs an instance with the capability {capability}: add its profile.")
    return Role(chosen[0].name, chosen[0].vendor)
