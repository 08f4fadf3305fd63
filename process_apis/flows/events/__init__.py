"""Events: the feed of what happened to business objects, for other systems of the firm to pull."""

from contracts.process.events import EventFeed
from process_apis.flows.events.service import EventFeedService
from process_apis.room import Room, Workshop

INTERFACE = EventFeed
NEEDS: tuple[type, ...] = ()


def build(workshop: Workshop) -> Room:
    """The room over what the hall gives."""
    return Room(EventFeedService(workshop.database, workshop.systems))
