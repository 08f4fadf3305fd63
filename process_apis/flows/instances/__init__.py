"""Instances: the vendors' accounts that are configured, and their facts."""

from contracts.process.instances import InstanceDirectory
from process_apis.flows.instances.service import InstanceDirectoryService
from process_apis.module import FlowDependencies, FlowModule

INTERFACE = InstanceDirectory
NEEDS: tuple[type, ...] = ()


def build(dependencies: FlowDependencies) -> FlowModule:
    """The module, built with its dependencies."""
    return FlowModule(InstanceDirectoryService(dependencies.systems))
