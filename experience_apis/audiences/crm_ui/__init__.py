"""The CRM screen's module: a salesperson's view of activations and accounts."""

from typing import Any

from contracts.experience.crm_ui import CrmUi
from contracts.process.opportunity_to_project import OpportunityToProject
from contracts.process.projects import ProjectView
from experience_apis.audiences.crm_ui.service import CrmUiService

INTERFACE = CrmUi
NEEDS = (OpportunityToProject, ProjectView)


def build(clients: dict[type, Any]) -> CrmUiService:
    """The service over the clients of the interfaces that it needs."""
    return CrmUiService(clients[OpportunityToProject], clients[ProjectView])
