"""The view of the flows' health: what is under way, how old it is, what is late, and how much gets done."""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Cursor, Instance, Instant, PageSize
from contracts.canonical.workflow import Mode
from contracts.operation import api, operation
from contracts.problems import NotFound

Hours = Annotated[int, Meta(ge=1, le=8784)]
_Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[a-z][a-z0-9\-]*$")]
_Entity = Annotated[str, Meta(min_length=1, max_length=60)]


class Ages(msgspec.Struct, frozen=True):
    """How many runs that have not ended began how long ago; each run is counted once."""

    under_5_minutes: int = 0
    under_1_hour: int = 0
    under_1_day: int = 0
    over_1_day: int = 0


class FlowHealth(msgspec.Struct, frozen=True, kw_only=True):
    """A flow's runs, as far as the caller may see them.

    `open` counts by status those that have not ended, `overdue` those of them whose deadline has passed;
    `ended` counts by status those that ended within the hours that were asked for, `median_seconds` is how
    long half of them took at most.
    """

    flow: str
    open: dict[str, int]
    ages: Ages
    overdue: int
    oldest_started_at: Instant | None
    ended: dict[str, int]
    median_seconds: float | None


class FlowHealths(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[FlowHealth, ...]
    next_cursor: str | None = None


@api(
    "process",
    "flow-health",
    version=1,
    summary="How the flows are doing",
    data_classes=("commercial",),
)
class FlowHealthView(Protocol):
    """Read only, and a moment behind the runs, whose events it follows."""

    @operation("GET", "/flows", summary="List the flows that have runs under way or ended some lately")
    async def list_flows(
        self,
        entity: _Entity | None = None,
        instance: Instance | None = None,
        mode: Mode | None = None,
        hours: Hours = 24,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> FlowHealths:
        """A page of flows by name: their runs of an entity, of an instance, in a mode."""
        ...

    @operation("GET", "/flows/{flow}", summary="Read how a flow is doing", problems=(NotFound,))
    async def get_flow(self, flow: _Name, hours: Hours = 24) -> FlowHealth:
        """The flow; raises NotFound where the caller sees no run of it that is under way or ended lately."""
        ...
