"""Observe mode: the writes that live mode would send for a proposal, worked out and not sent."""

import msgspec

from contracts.canonical.customer import Customer
from contracts.canonical.workflow import PlannedRequest
from contracts.process.customer_master import CustomerProposal
from contracts.routing import SystemAssignment
from process_apis.flows.customer_master import rules


def would_send(
    proposal: CustomerProposal, account: Customer, systems: SystemAssignment
) -> tuple[PlannedRequest, ...]:
    """Every write that live mode would ask of the systems, after finance where it must be asked."""
    key = rules.key_of(proposal.instance, proposal.account_id, proposal.selling_entity)
    customer, client = rules.customer_draft(account, proposal), rules.client_draft(account)
    writes: tuple[tuple[str, str, str, msgspec.Struct], ...] = (
        ("create-customer", systems.erp, "erp.put_customer", customer),
        ("create-client", systems.psa, "psa.put_client", client),
    )
    return tuple(
        PlannedRequest(step, instance, operation, key, msgspec.json.encode(body).decode())
        for step, instance, operation, body in writes
    )
