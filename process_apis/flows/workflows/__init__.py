"""Workflows: the runs of all flows, to list, read and replay."""

from contracts.process.workflows import WorkflowRuns
from process_apis.flows.workflows.service import WorkflowRunsService
from process_apis.module import FlowDependencies, FlowModule

INTERFACE = WorkflowRuns
NEEDS: tuple[type, ...] = ()


def build(dependencies: FlowDependencies) -> FlowModule:
    """The module, built with its dependencies."""
    return FlowModule(WorkflowRunsService(dependencies))
