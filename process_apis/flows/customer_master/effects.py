"""What customer master makes elsewhere: the customer in the ERP, its client in the PSA."""

from contracts.canonical.customer import Customer, draft_of
from contracts.canonical.project import Client, client_of
from contracts.routing import SystemAssignment
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit.effects import Effect, Owned
from process_apis.failures import UNOWNED
from process_apis.flows.customer_master.state import CustomerCase, ProposalInput
from process_apis.systems import instance_of


def create_customer(
    proposal: ProposalInput, systems: SystemAssignment, case: CustomerCase
) -> Effect[Customer]:
    """The customer as it was approved."""
    terms = (proposal.selling_entity, proposal.currency, proposal.payment_terms)
    return Effect(
        step="create-customer",
        title="Create the customer in the ERP",
        instance=instance_of(Erp, systems),
        operation=Erp.put_customer,
        key=proposal.key,
        body=lambda: draft_of(case.facts.account, *terms),
        returns=Customer,
        noun="customer",
        scope=proposal.selling_entity,
        find=Erp.get_customer_by_key,
        # It may have been made of the old facts: it is brought to the new ones under the same key.
        resend=case.turn > 1 or bool(proposal.ended),
        owned=Owned("customer", "proposed", unowned=UNOWNED),
    )


def create_client(proposal: ProposalInput, systems: SystemAssignment, case: CustomerCase) -> Effect[Client]:
    """The client under which the PSA groups the customer's projects."""
    return Effect(
        step="create-client",
        title="Create the client in the PSA",
        instance=instance_of(Psa, systems),
        operation=Psa.put_client,
        key=proposal.key,
        body=lambda: client_of(case.facts.account),
        returns=Client,
        noun="client",
        scope=proposal.selling_entity,
        find=Psa.get_client_by_key,
        resend=case.turn > 1 or bool(proposal.ended),
    )
