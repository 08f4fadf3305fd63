"""The systems that the flows speak to: a client per instance and capability, and who serves which entity."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from contracts.canonical.exception import OPERATIONS
from contracts.canonical.objects import BusinessObject
from contracts.canonical.values import short_key
from contracts.operation import Feature
from contracts.problems import Conflict, Fault, NotFound, Unexpected
from contracts.routing import SystemAssignment
from contracts.system.instance import InstanceFacts
from kit.operations import api_of, readings
from kit.workflows import RunRow
from process_apis.current_policy import CurrentPolicy

T = TypeVar("T")


class Systems:
    """Clients by (instance, interface); which of them serve a legal entity is chosen once per run.

    `ids` holds, by instance, its vendor's knowledge of how a record's id is spelled: (kind, id) to the id.
    `facts` are what is known of each instance, by its name; `routed` the interfaces for which the routing
    chooses an instance.
    """

    def __init__(
        self,
        clients: Mapping[tuple[str, type], Any],
        current_policy: CurrentPolicy,
        ids: Mapping[str, Callable[[str, str], str]] | None = None,
        *,
        facts: Mapping[str, InstanceFacts] | None = None,
        routed: Iterable[type] = (),
    ) -> None:
        self._clients = clients
        self._current_policy = current_policy
        self._ids = ids or {}
        self.facts = facts or {}
        self._routed = tuple(api_of(interface).name for interface in routed)

    def for_flow(self, routed: Iterable[type]) -> "Systems":
        """The same systems, for a flow whose instances of these interfaces the routing chooses."""
        return Systems(self._clients, self._current_policy, self._ids, facts=self.facts, routed=routed)

    def canonical_id(self, instance: str, kind: str, given: str) -> str:
        """The one spelling of a vendor's id, before anything is keyed by it; no vendor is asked.

        Raises NotFound for what can be no id of such a record there.
        """
        spell = self._ids.get(instance)
        return given if spell is None else spell(kind, given)

    def spellings(self, interface: type, kind: str, given: str) -> tuple[str, ...]:
        """The id as each instance of a capability spells it, for one whose instance is not named."""
        ids: dict[str, None] = {}
        for instance, served in self._clients:
            if served is interface:
                try:
                    ids[self.canonical_id(instance, kind, given)] = None
                except NotFound:
                    continue
        return tuple(ids)

    # -- what the instances store ------------------------------------------------------------------------

    def interfaces(self) -> tuple[type, ...]:
        """The interfaces that any instance serves."""
        return tuple(dict.fromkeys(interface for _, interface in self._clients))

    def objects(self) -> dict[str, BusinessObject]:
        """The business objects that any instance stores, by their names."""
        bounds = [bound for interface in self.interfaces() for bound in readings(interface).values()]
        return {
            bound.operation.reads.name: bound.operation.reads for bound in bounds if bound.operation.reads
        }

    def keepers(self, instance: str, kind: str) -> tuple[type, ...]:
        """The interfaces, of those that an instance serves, through which it serves such objects."""
        served = (interface for name, interface in self._clients if name == instance)
        return tuple(one for one in served if kind in readings(one))

    async def read(self, instance: str, kind: str, ident: str) -> Any:
        """A record as it is at its vendor now; raises NotFound where the instance has none of its kind."""
        interface = next(iter(self.keepers(instance, kind)), None)
        if interface is None:
            raise NotFound(f"{instance} has no {kind} that can be read")
        return await getattr(self.client(interface, instance), readings(interface)[kind].name)(ident)

    def lacks(self, instance: str, feature: Feature) -> bool:
        """Whether an instance does not have an optional feature of a capability that it serves."""
        return instance in self.facts and feature.name in self.facts[instance].lacks

    def stored_key(self, instance: str, key: str) -> str:
        """A key of ours as the vendor of an instance stores it, which may have short ones only."""
        facts = self.facts.get(instance)
        return short_key(key, facts.key_length) if facts else key

    def team(self, capability: str) -> str:
        """Who decides on what a capability owns; operations, where no instance serves it."""
        apis = (api_of(interface) for interface in self.interfaces())
        return next((api.team for api in apis if api.name == capability), OPERATIONS)

    # -- who serves what --------------------------------------------------------------------------------

    def choose(self, selling_entity: str) -> SystemAssignment:
        """The systems of an entity by the routing in force; raises Conflict where no route gives it one."""
        return self.pinned_or_current({}, selling_entity)

    def pinned_or_current(self, assignment: SystemAssignment, selling_entity: str) -> SystemAssignment:
        """The systems with which a run began, and those of the routing in force for what it did not pin."""
        routing = self._current_policy.routing
        systems = {
            name: assignment.get(name) or routing.instance_for(name, selling_entity) for name in self._routed
        }
        if missing := [name for name, instance in systems.items() if not instance]:
            instances = " and ".join(f"{name} instance" for name in missing)
            raise Conflict(
                f"No route gives {selling_entity} any {instances} (routing.toml).",
                extra={"owner": OPERATIONS, "what_next": "Add the route to routing.toml, then replay."},
            )
        return systems

    def of(self, interface: type[T], assignment: SystemAssignment) -> T:
        """The system of an assignment; raises NotFound when it is no longer configured."""
        return self.client(interface, instance_of(interface, assignment))

    def client(self, interface: type[T], instance: str) -> T:
        """The instance of that name; raises NotFound when it is no longer configured."""
        client = self._clients.get((instance, interface))
        if client is None:
            raise NotFound(
                f"{instance}, in which this began, is no {api_of(interface).name} here any more. "
                f"Put its profile back (instances/{instance}.toml), restart, and replay.",
                extra={"owner": OPERATIONS},
            )
        return client

    def require(self, interface: type[Any], instance: str) -> None:
        """Raise NotFound, as a fault of the request's `instance`, where a caller names none of ours."""
        if (instance, interface) not in self._clients:
            detail = f"No {api_of(interface).name.upper()} instance is named {instance}."
            raise NotFound(detail, errors=(Fault("/instance", detail, "unknown"),))


def instance_of(interface: type, assignment: SystemAssignment) -> str:
    """An assignment's instance of a capability; raises Unexpected for one that the flow did not declare."""
    name = api_of(interface).name
    if name not in assignment:
        raise Unexpected(f"No {name} was assigned: a flow names in USES every capability that it works in.")
    return assignment[name]


def assignment_of_run(run: RunRow | None) -> SystemAssignment:
    """The systems assigned to a run, empty where none are recorded."""
    return run.systems if run is not None else {}
