"""Exceptions: the queue of business cases that wait for a person."""

from contracts.process.exceptions import Exceptions
from process_apis.flows.exceptions.service import ExceptionsService
from process_apis.module import FlowDependencies, FlowModule

INTERFACE = Exceptions
NEEDS: tuple[type, ...] = ()


def build(dependencies: FlowDependencies) -> FlowModule:
    """The flow's module, built with its dependencies."""
    return FlowModule(
        ExceptionsService(dependencies.runtime, dependencies.database, dependencies.current_policy)
    )
