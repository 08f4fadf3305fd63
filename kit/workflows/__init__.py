"""kit/workflows: durable flows on PostgreSQL: steps that survive a crash, waits, exceptions, undo."""

from kit.workflows.flow import (
    ExceptionDraft,
    Flow,
    NoState,
    Owner,
    Recheck,
    RunRow,
    Undone,
    WorkflowSettings,
    explain,
)
from kit.workflows.reading import RunPage
from kit.workflows.run import Run
from kit.workflows.runtime import Runtime
from kit.workflows.schedules import Schedule
from kit.workflows.succession import number_of, successor_of

__all__ = [
    "ExceptionDraft",
    "Flow",
    "NoState",
    "Owner",
    "Recheck",
    "Run",
    "RunPage",
    "RunRow",
    "Runtime",
    "Schedule",
    "Undone",
    "WorkflowSettings",
    "explain",
    "number_of",
    "successor_of",
]
