"""The runs of all flows: what is under way, what stopped and what ended; and how one is replayed."""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Cursor, Id, Instance, Instant, PageSize
from contracts.canonical.workflow import Mode, WorkflowStatus, WorkflowView
from contracts.operation import Link, api, operation
from contracts.problems import AlreadyDecided, Conflict, NotFound, SegregationOfDuties

_Name = Annotated[str, Meta(min_length=1, max_length=60)]


class Workflow(WorkflowView, frozen=True, omit_defaults=True, kw_only=True):
    """A run of any flow; `owner` is the team that must decide on its open exception."""

    flow: str
    subject: str = ""
    entity: str = ""
    instances: tuple[str, ...] = ()
    owner: str = ""
    finished_at: Instant | None = None


class Workflows(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[Workflow, ...]
    next_cursor: str | None = None


class ScheduleView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What starts work by the clock: a cron expression (six fields begin with seconds) in a time zone."""

    name: str
    cron: str
    zone: str
    next_due: Instant
    last_due: Instant | None = None


class Schedules(msgspec.Struct, frozen=True):
    items: tuple[ScheduleView, ...]


class WorkflowReplay(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run is replayed; `corrections` overrides canonical fields of what stopped, by name.

    One that nothing would read is refused, with what can be corrected.
    """

    reason: Annotated[str, Meta(min_length=3, max_length=2000)]
    corrections: dict[
        Annotated[str, Meta(min_length=1, max_length=60)], Annotated[str, Meta(max_length=500)]
    ] = {}


@api(
    "process",
    "workflows",
    version=1,
    summary="The runs of all flows",
    data_classes=("commercial", "financial", "personal"),
)
class WorkflowRuns(Protocol):
    """What every flow does for its own runs, over all of them."""

    @operation("GET", "/workflows", summary="List runs of all flows, newest first")
    async def list_workflows(
        self,
        status: WorkflowStatus | None = None,
        flow: _Name | None = None,
        owner: _Name | None = None,
        entity: _Name | None = None,
        instance: Instance | None = None,
        mode: Mode | None = None,
        started_before: Instant | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> Workflows:
        """A page of runs, without their timelines."""
        ...

    @operation(
        "GET",
        "/workflows/{workflow_id}",
        summary="Read a run with its timeline and what it would send",
        problems=(NotFound,),
    )
    async def get_workflow(self, workflow_id: Id) -> Workflow:
        """The run; raises NotFound."""
        ...

    @operation("GET", "/schedules", summary="List what starts runs by the clock")
    async def list_schedules(self) -> Schedules:
        """All schedules of the flows, by name."""
        ...

    @operation(
        "POST",
        "/workflows/{workflow_id}/replay",
        summary="Replay a run that is parked, undone or failed",
        access="approve",
        roles=("finance", "operations"),
        problems=(NotFound, AlreadyDecided, Conflict, SegregationOfDuties),
        links=(Link("get_workflow", "workflow_id", "id"),),
    )
    async def replay_workflow(self, workflow_id: Id, body: WorkflowReplay) -> Workflow:
        """The run as it goes on; who began it or caused its exception may not replay it."""
        ...
