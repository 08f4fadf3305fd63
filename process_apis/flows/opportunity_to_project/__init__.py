"""Opportunity to project: a won deal becomes customer, contract and project, once."""

from contracts.events.kinds import OPPORTUNITY_WON, WORKFLOW_STATUS_CHANGED
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
    service = OpportunityToProjectService(dependencies, settings)
    flow = OpportunityToProjectFlow(dependencies, settings)
    triggers = (
        On(OPPORTUNITY_WON, service.on_opportunity_won),
        On(WORKFLOW_STATUS_CHANGED, service.on_run_ended),
    )
    return FlowModule(service, flow, triggers)
