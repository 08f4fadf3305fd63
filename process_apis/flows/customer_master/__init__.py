"""Customer master: a CRM account becomes an approved ERP customer, once."""

from contracts.process.customer_master import CustomerMaster
from process_apis.flows.customer_master.service import CustomerMasterService
from process_apis.flows.customer_master.settings import CustomerMasterSettings
from process_apis.flows.customer_master.steps import CustomerMasterFlow
from process_apis.room import Room, Workshop

INTERFACE = CustomerMaster
NEEDS: tuple[type, ...] = ()


def build(workshop: Workshop) -> Room:
    """The room over what the hall gives."""
    settings = workshop.settings_of("customer_master", CustomerMasterSettings)
    return Room(
        service=CustomerMasterService(
            runtime=workshop.runtime,
            database=workshop.database,
            systems=workshop.systems,
            in_force=workshop.in_force,
            reference=workshop.reference,
            settings=settings,
        ),
        flow=CustomerMasterFlow(workshop.systems, workshop.database, workshop.ownership, settings),
    )
