"""The experience tier: finds the audiences by their folders and gives each the clients that it needs."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from litestar import Router

from experience_apis import audiences
from kit.operations import api_of
from kit.routes import router


def modules() -> list[ModuleType]:
    """The audiences' packages."""
    return [
        importlib.import_module(f"{audiences.__name__}.{module.name}")
        for module in pkgutil.iter_modules(audiences.__path__)
    ]


def build(clients: dict[type, Any]) -> dict[type, Any]:
    """Every audience's service by its interface."""
    return {module.INTERFACE: module.build(clients) for module in modules()}


def needed() -> set[type]:
    """The process interfaces that the audiences ask for."""
    return {interface for module in modules() for interface in module.NEEDS}


def routes(services: dict[type, Any]) -> list[Router]:
    """The audiences' APIs as routes."""
    return [router(interface, service, api_of(interface).prefix) for interface, service in services.items()]


def interfaces() -> list[type]:
    """The interfaces that this tier serves."""
    return [module.INTERFACE for module in modules()]
