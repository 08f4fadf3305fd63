"""deploy/demo: who plays: the instance of each capability, as the configuration has it."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from contracts.routing import ANY, Routing
from deploy.errors import CommandError
from sandbox.core.console import Console

SALES = "crm-screen"
CRM, ERP, PSA = "crm", "erp", "psa"


class Role(msgspec.Struct, frozen=True):
    """An instance, whose system it is, and what it can be used for."""

    instance: str = msgspec.field(name="name")
    vendor: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True)
class Player:
    """A role with the console of its account."""

    instance: str
    title: str
    console: Any


@dataclass(frozen=True)
class Cast:
    """Who plays the CRM, the ERP and the PSA."""

    crm: Player
    erp: Player
    psa: Player


def read_roles(config: Path) -> list[Role]:
    """Every instance of a configuration; a profile that cannot be read is not among them."""
    roles = []
    for path in sorted((config / "instances").glob("*.toml")):
        with contextlib.suppress(msgspec.DecodeError):
            roles.append(msgspec.toml.decode(path.read_bytes(), type=Role))
    return roles


def read_cast(config: Path) -> dict[str, Role]:
    """The role of each capability: the CRM of the sales screen, and the systems of every other entity.

    Raises CommandError when the configuration has none.
    """
    roles = read_roles(config)
    routing = msgspec.toml.decode((config / "routing.toml").read_bytes(), type=Routing)
    wanted = {
        CRM: _screen(config),
        ERP: routing.instance_for(ERP, ANY),
        PSA: routing.instance_for(PSA, ANY),
    }
    return {capability: _role(roles, capability, name) for capability, name in wanted.items()}


def cast_with(config: Path, consoles: Mapping[str, Console]) -> Cast:
    """Who plays, with the consoles of the vendors; raises CommandError where a console is missing."""
    players = {}
    for capability, role in read_cast(config).items():
        if role.vendor not in consoles:
            raise CommandError(f"The demo needs the {role.vendor} sandbox, for the instance {role.instance}.")
        console = consoles[role.vendor]
        players[capability] = Player(role.instance, console.title, console)
    return Cast(**players)


def _screen(config: Path) -> str:
    """The instance to which the sales screen belongs."""
    consumers: dict[str, Any] = msgspec.toml.decode((config / "consumers.toml").read_bytes())["consumers"]
    return consumers.get(SALES, {}).get("claims", {}).get("instance", "")


def _role(roles: list[Role], capability: str, instance: str) -> Role:
    serving = [one for one in roles if capability in one.capabilities]
    chosen = [one for one in serving if one.instance == instance] or serving
    if not chosen:
        raise CommandError(f"The demo needs an instance with the capability {capability}: add its profile.")
    return chosen[0]
