"""Exceptions: the queue of business cases that wait for a person."""

from contracts.process.exceptions import Exceptions
from process_apis.flows.exceptions.service import ExceptionsService
from process_apis.room import Room, Workshop

INTERFACE = Exceptions
NEEDS: tuple[type, ...] = ()


def build(workshop: Workshop) -> Room:
    """The room over what the hall gives."""
    return Room(ExceptionsService(workshop.runtime, workshop.database, workshop.in_force))
