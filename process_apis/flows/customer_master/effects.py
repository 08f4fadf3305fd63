"""What customer master makes elsewhere: the customer in the ERP, its client in the PSA."""

from contracts.canonical.customer import Customer
from contracts.canonical.project import Client
from contracts.process.customer_master import CustomerProposal
from contracts.routing import SystemAssignment
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit.effects import Effect, Owned
from process_apis.failures import UNOWNED
from process_apis.flows.customer_master import rules
from process_apis.flows.customer_master.deciding import Case
from process_apis.systems import instance_of


def create_customer(proposal: CustomerProposal, systems: SystemAssignment, case: Case) -> Effect[Customer]:
    """The customer as it was approved."""
    return Effect(
        step="create-customer",
        title="Create the customer in the ERP",
        instance=instance_of(Erp, systems),
        operation=Erp.put_customer,
        key=rules.key_of(proposal.instance, proposal.account_id, proposal.selling_entity),
        body=lambda: rules.customer_draft(case.proposed.account, proposal),
        returns=Customer,
        noun="customer",
        scope=proposal.selling_entity,
        find=Erp.get_customer_by_key,
        # It may have been made of the old facts: it is brought to the new ones under the same key.
        resend=case.turn > 1,
        owned=Owned("customer", "proposed", unowned=UNOWNED),
    )


def create_client(proposal: CustomerProposal, systems: SystemAssignment, case: Case) -> Effect[Client]:
    """The client under which the PSA groups the customer's projects."""
    return Effect(
        step="create-client",
        title="Create the client in the PSA",
        instance=instance_of(Psa, systems),
        operation=Psa.put_client,
        key=rules.key_of(proposal.instance, proposal.account_id, proposal.selling_entity),
        body=lambda: rules.client_draft(case.proposed.account),
        returns=Client,
        noun="client",
        scope=proposal.selling_entity,
        find=Psa.get_client_by_key,
    )
