"""Events: the feed of what happened to business objects, for other systems of the firm to pull."""

from contracts.process.events import EventFeed
from process_apis.flows.events.service import EventFeedService
from process_apis.module import FlowDependencies, FlowModule

INTERFACE = EventFeed
NEEDS: tuple[type, ...] = ()


def build(dependencies: FlowDependencies) -> FlowModule:
    """The flow's module, built with its dependencies."""
    return FlowModule(EventFeedService(dependencies.database, dependencies.systems))
