"""Opportunity to project: a won deal becomes customer, contract and project, once."""

from contracts.events.kinds import CUSTOMER_SETTLED, OPPORTUNITY_WON
from contracts.process.customer_master import CustomerMaster
from contracts.process.opportunity_to_project import OpportunityToProject
from process_apis.flows.opportunity_to_project.service import OpportunityToProjectService
from process_apis.flows.opportunity_to_project.steps import OpportunityToProjectFlow
from process_apis.room import Room, Workshop
from process_apis.settings import FlowSettings

INTERFACE = OpportunityToProject
NEEDS = (CustomerMaster,)


def build(workshop: Workshop) -> Room:
    """The room over what the hall gives."""
    settings = workshop.settings_of("opportunity_to_project", FlowSettings)
    service = OpportunityToProjectService(
        runtime=workshop.runtime,
        database=workshop.database,
        systems=workshop.systems,
        reference=workshop.reference,
        settings=settings,
    )
    flow = OpportunityToProjectFlow(
        systems=workshop.systems,
        customer_master=workshop.client(CustomerMaster),
        reference=workshop.reference,
        database=workshop.database,
        ownership=workshop.ownership,
        settings=settings,
    )
    subscriptions = {
        OPPORTUNITY_WON: service.on_opportunity_won,
        CUSTOMER_SETTLED: service.on_customer_settled,
    }
    return Room(service, flow, subscriptions)
