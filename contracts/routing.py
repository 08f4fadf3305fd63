"""Routing: which instance serves a capability for which legal entity, by the firm's `routing.toml`."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

ANY = "*"
# The instances that a run changes, by capability: chosen at its start and pinned to its end. It is empty in
# runs of earlier versions, which follow the routing in force.
SystemAssignment = dict[str, str]


class RoutingRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which instance serves a capability for a legal entity (``*``: every other), and where its data is."""

    capability: str
    selling_entity: str
    instance: str
    residency: str = ""


class Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The routing table: the first route that fits an entity serves it."""

    routes: tuple[RoutingRule, ...]

    def instance_for(self, capability: str, selling_entity: str) -> str:
        """The instance that serves an entity, empty where no route gives it one."""
        for route in self.routes:
            if route.capability == capability and route.selling_entity in (selling_entity, ANY):
                return route.instance
        return ""

    def faults_for(
        self,
        served: Mapping[tuple[str, str], str],
        entities: Collection[str],
        *,
        capabilities: Collection[str],
        needed: Iterable[str],
    ) -> list[str]:
        """What is wrong with the table in a firm of these legal entities, each with its place.

        `served` maps (instance, capability) to the region where the instance's data resides; `capabilities`
        are the known ones, and each that is `needed` must serve every legal entity.
        """
        faults: list[str] = []
        for index, route in enumerate(self.routes):
            place = f"routes[{index}]"
            region = served.get((route.instance, route.capability))
            known = any(instance == route.instance for instance, _ in served)
            if route.selling_entity not in (ANY, *entities):
                faults.append(f"{place}.selling_entity: there is no legal entity {route.selling_entity}")
            if route.capability not in capabilities:
                there_are = ", ".join(sorted(capabilities))
                faults.append(
                    f"{place}.capability: there is no capability {route.capability}; there are {there_are}"
                )
                if not known:
                    faults.append(f"{place}.instance: there is no instance {route.instance}")
            elif region is None:
                faults.append(f"{place}.instance: {route.instance} does not serve {route.capability}")
            elif route.residency and region != route.residency:
                fault = f"{route.instance} stores its data in {region}, not in {route.residency}"
                faults.append(f"{place}.residency: {fault}")
        faults += [
            f"routes: no {capability} serves {entity}"
            for capability in sorted(needed)
            for entity in sorted(entities)
            if not self.instance_for(capability, entity)
        ]
        return faults
