"""Customers of an ERP: who may be the same firm as an account, and who is a legal entity's."""

from contracts.canonical import matching
from contracts.canonical.customer import Customer
from contracts.canonical.matching import DuplicateCandidate
from contracts.problems import NotFound
from contracts.routing import SystemAssignment
from contracts.system.erp import Erp
from kit.database.rows import Bounds
from process_apis.systems import Systems, instance_of


async def same_firms(erp: Erp, account: Customer, but: str) -> list[Customer]:
    """Customers that may be the account's firm, each once, but the one that was made under a key of ours."""
    customers: dict[str, Customer] = {}
    for name, number, domain in matching.questions(account):
        for customer in (await erp.find_customers(name, number, domain)).items:
            customers.setdefault(customer.id, customer)
    return [one for one in customers.values() if not any(ref.id == but for ref in one.refs)]


async def customer_of(erp: Erp, entity: str, customer_id: str) -> Customer:
    """The customer, if it is the legal entity's; raises NotFound, alike for another's and for none."""
    missing = NotFound(f"No ERP customer of {entity} has the id {customer_id}.")
    try:
        customer = await erp.get_customer(customer_id)
    except NotFound:
        raise missing from None
    if not customer.is_of(entity):
        raise missing
    return customer


async def customer_named(systems: Systems, assigned: SystemAssignment, entity: str, given: str) -> Customer:
    """The legal entity's customer of which a person gave the id, however spelled; raises NotFound."""
    erp = instance_of(Erp, assigned)
    return await customer_of(systems.client(Erp, erp), entity, systems.canonical_id(erp, "customer", given))


def own_candidates(
    candidates: tuple[DuplicateCandidate, ...], bound: Bounds
) -> tuple[DuplicateCandidate, ...]:
    """The possible duplicates that the caller may see; who is bound to a customer sees no other."""
    if not bound.keys() <= {"entity", "instance"}:
        return ()
    entities = bound.get("entity")
    if entities is None:
        return candidates
    return tuple(
        one for one in candidates if not {one.selling_entity, *one.other_entities}.isdisjoint(entities)
    )
