"""The process tier: finds the flows' modules by their folders and builds them in order of need."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from litestar import Router

from contracts.events.kinds import RECORD_UNREADABLE
from kit.clients import local
from kit.effects import guarded
from kit.operations import api_of
from kit.routes import router
from process_apis import flows
from process_apis import views as view_packages
from process_apis.changes import Changes
from process_apis.module import FlowDependencies, FlowModule
from process_apis.settings import FlowSettings, Modes
from process_apis.triggers import On, Trigger
from process_apis.views.view import View

MIGRATIONS = str(Path(__file__).parent / "migrations")


def modules() -> list[ModuleType]:
    """The flows' packages, each after those that it needs."""
    waiting = [
        importlib.import_module(f"{flows.__name__}.{m.name}") for m in pkgutil.iter_modules(flows.__path__)
    ]
    ordered: list[ModuleType] = []
    while waiting:
        built = {module.INTERFACE for module in ordered}
        ready = [module for module in waiting if set(module.NEEDS) <= built]
        if not ready:
            names = ", ".join(module.__name__ for module in waiting)
            raise TypeError(f"these flows need each other, or a flow that is not there: {names}")
        ordered += ready
        waiting = [module for module in waiting if module not in ready]
    return ordered


def settings_kinds() -> dict[str, type[FlowSettings]]:
    """The type of each flow's settings, by its section of flows.toml: the name of its folder."""
    return {_section(module): getattr(module, "SETTINGS", FlowSettings) for module in modules()}


def routed_by(module: ModuleType) -> tuple[type, ...]:
    """The capabilities whose instances a flow is assigned by the routing: what it uses, but begins not in."""
    begins_in: tuple[type, ...] = getattr(module, "BEGINS_IN", ())
    return tuple(interface for interface in getattr(module, "USES", ()) if interface not in begins_in)


def routed_capabilities(settings: Mapping[str, Any]) -> frozenset[str]:
    """The capabilities for which the flows that are on need routes; `settings` are those of flows.toml."""
    return frozenset(
        api_of(interface).name
        for module in modules()
        if _is_on(settings.get(_section(module), {}))
        for interface in routed_by(module)
    )


def _section(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _is_on(section: Any) -> bool:
    try:
        return msgspec.convert(section, Modes).on
    except msgspec.ValidationError:
        return True  # what is wrong with it is reported where the flow reads it


def build(dependencies: FlowDependencies) -> dict[type, FlowModule]:
    """Every module by its interface, the views' too; a flow is given local clients of the flows before it."""
    flow_modules = {view.interface: FlowModule(view.service(dependencies)) for view in views()}
    for module in modules():
        systems = dependencies.systems.for_flow(routed_by(module))
        built: FlowModule = module.build(replace(dependencies, systems=systems))
        flow_modules[module.INTERFACE] = built
        dependencies.clients[module.INTERFACE] = guarded(
            module.INTERFACE, local(module.INTERFACE, built.service)
        )
    return flow_modules


def triggers(dependencies: FlowDependencies, flow_modules: dict[type, FlowModule]) -> list[Trigger]:
    """What starts work: of the judge of changes, the flows and the views."""
    judge = Changes(dependencies.ownership, dependencies.systems)
    of_flows = [trigger for built in flow_modules.values() for trigger in built.triggers]
    of_views = [On(kind, view.projector) for view in views() for kind in view.types]
    changed = [On(kind, judge.take) for kind in judge.types]
    return [*changed, On(RECORD_UNREADABLE, judge.take_unreadable), *of_flows, *of_views]


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
