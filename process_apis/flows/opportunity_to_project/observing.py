"""Observe mode: every request that live mode would send, worked out and not sent."""

import msgspec

from contracts.canonical.opportunity import ProjectLink
from contracts.canonical.reference import DeliveryTemplate, RateCard
from contracts.canonical.workflow import PlannedRequest
from contracts.process.customer_master import CustomerProposal
from contracts.routing import SystemAssignment
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.rules import Terms


def would_send(
    terms: Terms, systems: SystemAssignment, template: DeliveryTemplate, rate_card: RateCard
) -> tuple[PlannedRequest, ...]:
    """Every write that live mode would ask of the systems, with ids not known yet in angle brackets."""
    customer_key = f"{terms.instance}:{terms.account_id}:{terms.selling_entity}"
    contract = rules.contract_draft(terms, "customer-to-be", template)
    project = rules.project_draft(terms, "contract-to-be", "client-to-be", template, rate_card)
    link = ProjectLink(project_id="project-to-be", status="Activated", only_while="won")
    writes: list[tuple[str, str, str, str, msgspec.Struct]] = [
        (
            "create-contract",
            systems.erp,
            "erp.put_contract",
            rules.key_of("con", terms.instance, terms.opportunity_id, terms.revision),
            contract,
        ),
        (
            "provision-project",
            systems.psa,
            "psa.put_project",
            rules.key_of("prj", terms.instance, terms.opportunity_id, terms.revision),
            project,
        ),
        ("write-back", terms.instance, "crm.put_project_link", terms.opportunity_id, link),
    ]
    proposal = CustomerProposal(
        terms.instance, terms.account_id, terms.selling_entity, terms.value.currency, terms.payment_terms
    )
    writes.insert(0, ("propose-customer", "customer-master", "propose_customer", customer_key, proposal))
    return tuple(
        PlannedRequest(step, instance, operation, key, msgspec.json.encode(body).decode())
        for step, instance, operation, key, body in writes
    )
