"""deploy/demo: who plays: the instance of each capability, as the configuration has it."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from contracts.canonical.values import LONGEST_KEY, short_key
from contracts.routing import ANY, Routing
from deploy.errors import CommandError
from sandbox.core.console import Console
from system_apis.app import connector_of

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
    key_length: int = LONGEST_KEY

    def stored(self, key: str) -> str:
        """A key of ours as the system stores it."""
        return short_key(key, self.key_length)


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
        with contextlib.suppress(msgspec.DecodeError, OSError):
            roles.append(msgspec.toml.decode(path.read_bytes(), type=Role))
    return roles


def read_cast(config: Path) -> dict[str, Role]:
    """The role of each capability: the CRM of the sales screen, and the systems of every other entity.

    Raises CommandError when the configuration has none.
    """
    cast = {}
    for capability in (CRM, ERP, PSA):
        role = find_role(config, capability)
        if role is None:
            raise CommandError(
                f"The demo needs an instance with the capability {capability}: add its profile."
            )
        cast[capability] = role
    return cast


def find_role(config: Path, capability: str) -> Role | None:
    """The instance that plays a capability: the one that is named for it, else the first that serves it."""
    serving = [one for one in read_roles(config) if capability in one.capabilities]
    named = _screen(config) if capability == CRM else _routed(config, capability)
    chosen = [one for one in serving if one.instance == named] or serving
    return chosen[0] if chosen else None


def cast_with(config: Path, consoles: Mapping[str, Console]) -> Cast:
    """Who plays, with the consoles of the vendors; raises CommandError where a console is missing."""
    players = {}
    for capability, role in read_cast(config).items():
        if role.vendor not in consoles:
            raise CommandError(f"The demo needs the {role.vendor} sandbox, for the instance {role.instance}.")
        console = consoles[role.vendor]
        key_length = connector_of(role.vendor).key_length
        players[capability] = Player(role.instance, console.title, console, key_length)
    return Cast(**players)


def _screen(config: Path) -> str:
    """The instance to which the sales screen belongs."""
    consumers: dict[str, Any] = _read(config / "consumers.toml").get("consumers", {})
    return consumers.get(SALES, {}).get("claims", {}).get("instance", "")


def _routed(config: Path, capability: str) -> str:
    """The instance that serves every entity without a route of its own."""
    routing = msgspec.convert(_read(config / "routing.toml") or {"routes": []}, Routing)
    return routing.instance_for(capability, ANY)


def _read(path: Path) -> dict[str, Any]:
    """A file of the configuration; empty where there is none."""
    return msgspec.toml.decode(path.read_bytes()) if path.exists() else {}
