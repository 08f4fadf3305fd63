"""The systems that the flows speak to: a client per instance and capability, and who serves which entity."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from contracts.problems import Conflict, NotFound
from contracts.routing import SystemAssignment
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit.operations import api_of
from kit.workflows import RunRow
from process_apis.current_policy import CurrentPolicy

T = TypeVar("T")


class Systems:
    """Clients by (instance, interface); which of them serve a legal entity is chosen once per run.

    `ids` holds, by instance, its vendor's knowledge of how a record's id is spelled: (kind, id) to the id.
    """

    def __init__(
        self,
        clients: Mapping[tuple[str, type], Any],
        current_policy: CurrentPolicy,
        ids: Mapping[str, Callable[[str, str], str]] | None = None,
    ) -> None:
        self._clients = clients
        self._current_policy = current_policy
        self._ids = ids or {}

    def canonical_id(self, instance: str, kind: str, given: str) -> str:
        """The one spelling of a vendor's id, before anything is keyed by it; no vendor is asked.

        Raises NotFound for what can be no id of such a record there.
        """
        spell = self._ids.get(instance)
        return given if spell is None else spell(kind, given)

    def spellings(self, interface: type, kind: str, given: str) -> tuple[str, ...]:
        """The id as each instance of a capability spells it, for one whose instance is not named."""
        found: dict[str, None] = {}
        for instance, served in self._clients:
            if served is interface:
                try:
                    found[self.canonical_id(instance, kind, given)] = None
                except NotFound:
                    continue
        return tuple(found)

    def crm(self, instance: str) -> Crm | None:
        """The CRM of that name, None when none is configured."""
        return self._clients.get((instance, Crm))

    def erp(self, instance: str) -> Erp:
        """The ERP of that name; raises NotFound when it is not configured any more."""
        return self.client(Erp, instance)

    def psa(self, instance: str) -> Psa:
        """The PSA of that name; raises NotFound when it is not configured any more."""
        return self.client(Psa, instance)

    async def read(self, instance: str, kind: str, ident: str) -> Any:
        """A record as it is at its vendor now; raises NotFound where the instance has none of its kind."""
        asked = {
            ("customer", "crm"): (Crm, "get_customer"),
            ("customer", "erp"): (Erp, "get_customer"),
            ("contract", "erp"): (Erp, "get_contract"),
            ("project", "psa"): (Psa, "get_project"),
        }.get((kind, self.capability_of(instance)))
        if asked is None:
            raise NotFound(f"{instance} has no {kind} that can be read")
        interface, operation = asked
        return await getattr(self.client(interface, instance), operation)(ident)

    def choose(self, selling_entity: str) -> SystemAssignment:
        """The systems of an entity by the routing in force; raises Conflict where no route gives it one."""
        routing = self._current_policy.routing
        found = SystemAssignment(
            routing.instance_for("erp", selling_entity), routing.instance_for("psa", selling_entity)
        )
        if not (found.erp and found.psa):
            raise Conflict(f"No route gives {selling_entity} an ERP and a PSA (routing.toml).")
        return found

    def pinned_or_current(self, assignment: SystemAssignment, selling_entity: str) -> SystemAssignment:
        """The systems with which a run began; those of the routing in force for one that kept none."""
        return assignment if assignment != SystemAssignment() else self.choose(selling_entity)

    def capability_of(self, instance: str) -> str:
        """The capability by which an instance counts as a system in questions of ownership."""
        return next(
            (api_of(interface).name for name, interface in self._clients if name == instance), "enfilade"
        )

    def client(self, interface: type[T], instance: str) -> T:
        """The instance of that name; raises NotFound when it is not configured any more."""
        found = self._clients.get((instance, interface))
        if found is None:
            raise NotFound(
                f"{instance}, in which this began, is no {api_of(interface).name} here any more. "
                f"Put its profile back (instances/{instance}.toml), restart, and replay."
            )
        return found


def assignment_of_run(run: RunRow | None) -> SystemAssignment | None:
    """The systems with which a run works, None where it has not said so."""
    return msgspec.convert(run.systems, SystemAssignment) if run is not None and run.systems else None
