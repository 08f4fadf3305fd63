"""kit/workflows: durable flows on PostgreSQL: steps that survive a crash, waits, exceptions, undo."""

from kit.workflows.flow import Flow, Recheck, RunRow, Stop, Undone, WorkflowSettings, explain
from kit.workflows.reading import RunPage, Withheld
from kit.workflows.run import Run
from kit.workflows.runtime import Runtime

__all__ = [
    "Flow",
    "Recheck",
    "Run",
    "RunPage",
    "RunRow",
    "Runtime",
    "Stop",
    "Undone",
    "Withheld",
    "WorkflowSettings",
    "explain",
]
