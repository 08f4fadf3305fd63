"""The plans: the terms on which an API can be called."""

from typing import Literal, Protocol

import msgspec

from contracts.operation import api, operation


class LimitOffered(msgspec.Struct, frozen=True):
    """So many requests per window of seconds."""

    name: str
    requests: int
    seconds: int


class PlanOffered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A plan, as each of its subscribers has it for itself and for each API."""

    name: str
    limits: tuple[LimitOffered, ...]
    lane: Literal["critical", "standard", "background"]
    approval: Literal["automatic", "manual"]
    title: str = ""
    concurrency: int | None = None
    monthly_quota: int | None = None
    credentials: tuple[str, ...] = ()
    data_classes: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()


class PlansOffered(msgspec.Struct, frozen=True):
    """All plans."""

    items: tuple[PlanOffered, ...]


@api(
    "gateway",
    "plans",
    version=1,
    summary="The plans to which consumers subscribe",
    data_classes=("commercial",),
)
class Plans(Protocol):
    """What gateway.toml offers."""

    @operation("GET", "/plans", summary="List the plans")
    async def list_plans(self) -> PlansOffered:
        """Every plan of the policy in force, by name."""
        ...
