"""Customer master: a CRM account becomes an approved ERP customer, once."""

from contracts.process.customer_master import CustomerMaster
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from process_apis.flows.customer_master.service import CustomerMasterService
from process_apis.flows.customer_master.settings import CustomerMasterSettings
from process_apis.flows.customer_master.steps import CustomerMasterFlow
from process_apis.module import FlowDependencies, FlowModule

INTERFACE = CustomerMaster
NEEDS: tuple[type, ...] = ()
USES = (Crm, Erp, Psa)
BEGINS_IN = (Crm,)
SETTINGS = CustomerMasterSettings


def build(dependencies: FlowDependencies) -> FlowModule:
    """The flow's module, built with its dependencies."""
    settings = dependencies.settings_of("customer_master", SETTINGS)
    return FlowModule(
        CustomerMasterService(dependencies, settings), CustomerMasterFlow(dependencies, settings)
    )
