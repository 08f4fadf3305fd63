"""The workshop's hall: finds the flows' rooms by their folders and assembles them in order of need."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from litestar import Router

from kit.clients import local
from kit.operations import api_of
from kit.routes import room
from process_apis import flows
from process_apis.changes import TYPES, Changes
from process_apis.room import Handler, Room, Workshop

MIGRATIONS = str(Path(__file__).parent / "migrations")


def modules() -> list[ModuleType]:
    """The flows' packages, each after those that it needs."""
    found = [
        importlib.import_module(f"{flows.__name__}.{m.name}") for m in pkgutil.iter_modules(flows.__path__)
    ]
    ordered: list[ModuleType] = []
    while found:
        built = {module.INTERFACE for module in ordered}
        ready = [module for module in found if set(module.NEEDS) <= built]
        if not ready:
            names = ", ".join(module.__name__ for module in found)
            raise TypeError(f"these flows need each other, or a flow that is not there: {names}")
        ordered += ready
        found = [module for module in found if module not in ready]
    return ordered


def build(workshop: Workshop) -> dict[type, Room]:
    """Every flow's room by its interface; each is given local clients of those before it."""
    rooms: dict[type, Room] = {}
    for module in modules():
        built: Room = module.build(workshop)
        rooms[module.INTERFACE] = built
        workshop.clients[module.INTERFACE] = local(module.INTERFACE, built.service)
    return rooms


def subscriptions(workshop: Workshop, rooms: dict[type, Room]) -> list[tuple[str, Handler]]:
    """Which handler takes which events of the inbox: the floor's own judge of changes, then the rooms'."""
    judge = Changes(workshop.ownership, workshop.systems)
    found: list[tuple[str, Handler]] = [(kind, judge.take) for kind in TYPES]
    return found + [pair for room in rooms.values() for pair in room.subscriptions.items()]


def routes(rooms: dict[type, Room]) -> list[Router]:
    """The flows' APIs as routes."""
    return [room(interface, built.service, api_of(interface).prefix) for interface, built in rooms.items()]


def interfaces() -> list[Any]:
    """The interfaces that this floor keeps."""
    return [module.INTERFACE for module in modules()]
