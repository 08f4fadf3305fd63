"""The process tier: finds the flows' modules by their folders and builds them in order of need."""

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

from litestar import Router

from kit.clients import local
from kit.effects import guarded
from kit.operations import api_of
from kit.routes import router
from process_apis import flows
from process_apis import views as view_packages
from process_apis.changes import TYPES, Changes
from process_apis.module import FlowDependencies, FlowModule, Handler
from process_apis.views.view import View

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


def build(dependencies: FlowDependencies) -> dict[type, FlowModule]:
    """Every module by its interface, the views' too; a flow is given local clients of the flows before it."""
    flow_modules = {view.interface: FlowModule(view.service(dependencies)) for view in views()}
    for module in modules():
        built: FlowModule = module.build(dependencies)
        flow_modules[module.INTERFACE] = built
        dependencies.clients[module.INTERFACE] = guarded(
            module.INTERFACE, local(module.INTERFACE, built.service)
        )
    return flow_modules


def subscriptions(
    dependencies: FlowDependencies, flow_modules: dict[type, FlowModule]
) -> list[tuple[str, Handler]]:
    """Which handler takes which events of the inbox: the judge of changes, the modules' and the views'."""
    judge = Changes(dependencies.ownership, dependencies.systems)
    found: list[tuple[str, Handler]] = [(kind, judge.take) for kind in TYPES]
    found += [pair for router in flow_modules.values() for pair in router.subscriptions.items()]
    return found + [(kind, view.projector) for view in views() for kind in view.types]


def views() -> list[View]:
    """The views, one per package."""
    packages = [m.name for m in pkgutil.iter_modules(view_packages.__path__) if m.ispkg]
    return [importlib.import_module(f"{view_packages.__name__}.{name}").VIEW for name in packages]


def routes(flow_modules: dict[type, FlowModule]) -> list[Router]:
    """The APIs of flows and views as routes."""
    return [
        router(interface, built.service, api_of(interface).prefix)
        for interface, built in flow_modules.items()
    ]


def interfaces() -> list[Any]:
    """The interfaces that this tier serves."""
    return [module.INTERFACE for module in modules()] + [view.interface for view in views()]
