"""Routing: which instance serves a capability for which legal entity, as the firm's `routing.toml` says."""

from collections.abc import Collection, Mapping

import msgspec

ANY = "*"
_NEEDED = ("erp", "psa")


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which instance serves a capability for a legal entity (``*``: every other), and where its data is."""

    capability: str
    selling_entity: str
    instance: str
    residency: str = ""


class SystemAssignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """The instances in which a run makes what it makes: chosen once, as it begins, and kept to its end.

    Without names it began before that was so, and goes by the routing in force.
    """

    erp: str = ""
    psa: str = ""


class Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The routing table: the first route that fits an entity serves it."""

    routes: tuple[Route, ...]

    def instance_for(self, capability: str, selling_entity: str) -> str:
        """The instance that serves an entity, empty where no route gives it one."""
        for route in self.routes:
            if route.capability == capability and route.selling_entity in (selling_entity, ANY):
                return route.instance
        return ""

    def faults_for(self, served: Mapping[tuple[str, str], str], entities: Collection[str]) -> list[str]:
        """What is wrong with the table in a firm of these legal entities, each with its place.

        `served` maps (instance, capability) to the region where the instance's data resides.
        """
        faults: list[str] = []
        for index, route in enumerate(self.routes):
            place = f"routes[{index}]"
            region = served.get((route.instance, route.capability))
            if route.selling_entity not in (ANY, *entities):
                faults.append(f"{place}.selling_entity: there is no legal entity {route.selling_entity}")
            if region is None:
                faults.append(f"{place}.instance: {route.instance} does not serve {route.capability}")
            elif route.residency and region != route.residency:
                kept = f"{route.instance} keeps its data in {region}, not in {route.residency}"
                faults.append(f"{place}.residency: {kept}")
        faults += [
            f"routes: no {capability} serves {entity}"
            for capability in _NEEDED
            for entity in sorted(entities)
            if not self.instance_for(capability, entity)
        ]
        return faults
