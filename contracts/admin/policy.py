"""The policy that is in force: which files it was read from, and by which digest every worker knows it."""

import datetime as dt
from typing import Protocol

import msgspec

from contracts.operation import api, operation


class PolicyRefused(msgspec.Struct, frozen=True):
    """A change of the files that was refused whole, with file, line and reason of each fault."""

    at: dt.datetime
    faults: tuple[str, ...]


class PolicyInForce(msgspec.Struct, frozen=True, omit_defaults=True):
    """One policy, whole: gateway.toml and consumers.toml as they were read together.

    `digest` is the same wherever the same policy is in force, whatever comments its files have. While a
    change is `refused`, the policy before it stays. `waits_for_restart` names what only a restart puts in
    force.
    """

    digest: str
    since: dt.datetime
    folder: str = ""
    refused: PolicyRefused | None = None
    waits_for_restart: tuple[str, ...] = ()


@api("gateway", "policy", version=1, summary="The policy that is in force")
class Policy(Protocol):
    """The gateway's policy as it stands."""

    @operation("GET", "/in-force", summary="Read which policy is in force")
    async def get_in_force(self) -> PolicyInForce:
        """The policy that new requests meet."""
        ...
