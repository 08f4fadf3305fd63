"""A workflow as a person reads it: where it stands and what it did, step by step."""

from typing import Literal

import msgspec

from contracts.canonical.values import Id, Instant, Ref

Mode = Literal["off", "observe", "live"]
WorkflowStatus = Literal["running", "waiting", "parked", "done", "undone", "observed", "failed"]
StepStatus = Literal["running", "done", "failed", "waiting", "undone", "skipped"]


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a workflow: `title` is for people, `seconds` how long it took."""

    name: str
    title: str
    status: StepStatus
    started_at: Instant
    finished_at: Instant | None = None
    seconds: float | None = None
    attempts: int = 1
    detail: str = ""
    refs: tuple[Ref, ...] = ()


class PlannedRequest(msgspec.Struct, frozen=True):
    """One request that observe mode worked out and did not send."""

    step: str
    instance: str
    operation: str
    key: str
    body: str


class WorkflowView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the run of any flow shows; a flow's own view adds its fields.

    `waiting_for` is who must act for it to go on; `what_next` how it goes on, or begins anew after its end.
    """

    id: Id
    version: str
    status: WorkflowStatus
    status_text: str
    mode: Mode
    correlation_id: str
    started_at: Instant
    updated_at: Instant
    due_at: Instant | None = None
    exception_id: str = ""
    waiting_for: str = ""
    what_next: str = ""
    timeline: tuple[Step, ...] = ()
    refs: tuple[Ref, ...] = ()
    would_send: tuple[PlannedRequest, ...] = ()
