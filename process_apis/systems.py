"""The systems that the flows speak to: a client per instance and capability, and who serves which entity."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit.operations import api_of
from kit.settings import SettingsError

ANY = "*"
T = TypeVar("T")


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which instance serves a capability for a legal entity (``*``: every other), and where its data is."""

    capability: str
    selling_entity: str
    instance: str
    residency: str = ""


class Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The routing table: the first route that fits an entity serves it."""

    routes: tuple[Route, ...]


class Systems:
    """Clients by (instance, interface), chosen by name or by legal entity."""

    def __init__(self, clients: Mapping[tuple[str, type], Any], routing: Routing) -> None:
        self._clients = clients
        self._routing = routing

    def crm(self, instance: str) -> Crm | None:
        """The CRM of that name, None when none is configured."""
        return self._clients.get((instance, Crm))

    def erp_for(self, selling_entity: str) -> tuple[str, Erp]:
        """The ERP instance that keeps an entity's books."""
        return self._for(Erp, selling_entity)

    def psa_for(self, selling_entity: str) -> tuple[str, Psa]:
        """The PSA instance in which an entity delivers."""
        return self._for(Psa, selling_entity)

    def capability_of(self, instance: str) -> str:
        """The capability by which an instance counts as a system in questions of ownership."""
        return next(
            (api_name(interface) for name, interface in self._clients if name == instance), "enfilade"
        )

    def _for(self, interface: type[T], selling_entity: str) -> tuple[str, T]:
        capability = api_name(interface)
        for route in self._routing.routes:
            if route.capability == capability and route.selling_entity in (selling_entity, ANY):
                return route.instance, cast("T", self._clients[route.instance, interface])
        raise SettingsError([f"no route gives {selling_entity} a system for {capability}"])


def api_name(interface: type) -> str:
    """The name of the capability that an interface declares."""
    return api_of(interface).name


def check_routing(routing: Routing, served: Mapping[tuple[str, str], str], entities: list[str]) -> list[str]:
    """What is wrong with a routing table, a sentence each.

    `served` maps (instance, capability) to the region where the instance's data resides.
    """
    faults = []
    for route in routing.routes:
        region = served.get((route.instance, route.capability))
        if region is None:
            faults.append(f"routing: {route.instance} does not serve {route.capability}")
        elif route.residency and region != route.residency:
            faults.append(f"routing: {route.instance} keeps its data in {region}, not in {route.residency}")
    for capability in ("erp", "psa"):
        routed = {route.selling_entity for route in routing.routes if route.capability == capability}
        if ANY not in routed:
            missing = sorted(set(entities) - routed)
            faults += [f"routing: no {capability} serves {entity}" for entity in missing]
    return faults
