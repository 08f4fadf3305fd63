"""The versions of the APIs, and where each stands in its life."""

import datetime as dt
from typing import Protocol

import msgspec

from contracts.operation import api, operation


class VersionState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version; `sunset` is the day until which a deprecated one is served."""

    api: str
    state: str
    owner: str
    since: dt.date
    sunset: dt.date | None = None


class VersionStates(msgspec.Struct, frozen=True):
    """All versions."""

    items: tuple[VersionState, ...]


@api("gateway", "versions", version=1, summary="The versions of the APIs", data_classes=("public",))
class Versions(Protocol):
    """What contracts/versions.toml says."""

    @operation("GET", "/versions", summary="List the versions")
    async def list_versions(self) -> VersionStates:
        """Every version, by name."""
        ...
