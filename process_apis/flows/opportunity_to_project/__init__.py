"""Opportunity to project: a won deal becomes customer, contract and project, once."""

from contracts.events.kinds import CUSTOMER_SETTLED, OPPORTUNITY_WON
from contracts.process.customer_master import CustomerMaster
from contracts.process.opportunity_to_project import OpportunityToProject
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from process_apis.flows.opportunity_to_project.service import OpportunityToProjectService
from process_apis.flows.opportunity_to_project.steps import OpportunityToProjectFlow
from process_apis.module import FlowDependencies, FlowModule
from process_apis.settings import FlowSettings
from process_apis.triggers import On

INTERFACE = OpportunityToProject
NEEDS = (CustomerMaster,)
USES = (Crm, Erp, Psa)
BEGINS_IN = (Crm,)


def build(dependencies: FlowDependencies) -> FlowModule:
    """The flow's module, built with its dependencies."""
    settings = dependencies.settings_of("opportunity_to_project", FlowSettings)
    service = OpportunityToProjectService(
        runtime=dependencies.runtime,
        database=dependencies.database,
        systems=dependencies.systems,
        reference=dependencies.reference,
        settings=settings,
    )
    flow = OpportunityToProjectFlow(
        systems=dependencies.systems,
        customer_master=dependencies.client(CustomerMaster),
        reference=dependencies.reference,
        database=dependencies.database,
        effects=dependencies.effects,
        settings=settings,
    )
    triggers = (
        On(OPPORTUNITY_WON, service.on_opportunity_won),
        On(CUSTOMER_SETTLED, service.on_customer_settled),
    )
    return FlowModule(service, flow, triggers)
