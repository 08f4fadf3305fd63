"""Homes: the systems in which a deal is made, held against those in which its customer stands."""

from contracts.canonical.exception import OPERATIONS
from contracts.canonical.values import Ref
from contracts.problems import NotFound
from contracts.routing import SystemAssignment
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from process_apis.flows.opportunity_to_project.rules import Terms
from process_apis.systems import instance_of


def resolve_assignment(
    terms: Terms, refs: tuple[Ref, ...], began: SystemAssignment, now: SystemAssignment
) -> SystemAssignment:
    """The systems with which the run began, or those of the routing in force: where the customer stands.

    `refs` are the customer's. Raises NotFound where it stands in neither.
    """
    began_in = {(instance_of(Erp, began), "customer"), (instance_of(Psa, began), "client")}
    if began_in <= {(ref.instance, ref.object) for ref in refs}:
        return began
    vendor_id(terms, refs, instance_of(Erp, now), "customer")
    vendor_id(terms, refs, instance_of(Psa, now), "client")
    return now


def vendor_id(terms: Terms, refs: tuple[Ref, ...], instance: str, kind: str) -> str:
    """The customer's id in an instance; raises NotFound, which names another instance that has it."""
    their_id = next((ref.id for ref in refs if ref.instance == instance and ref.object == kind), None)
    if their_id is None:
        entity = terms.selling_entity
        others = sorted({ref.instance for ref in refs if ref.object == kind} - {terms.instance})
        where = f"stands in {' and '.join(others)}" if others else "stands in no system"
        raise NotFound(
            f"{terms.account_name} as a {kind} of {entity} {where}, but routing.toml has {entity} served by "
            f"{instance}. Let it name the system in which the customer stands and replay, or undo.",
            extra={"owner": OPERATIONS},
        )
    return their_id
