"""The CRM screen's API: resolves whose instance it is, asks flow and view, composes the screen."""

from contracts.experience.crm_ui import AccountScreen, ActivationScreen
from contracts.problems import NotFound
from contracts.process.opportunity_to_project import ActivationRequest, OpportunityToProject
from contracts.process.projects import ProjectView
from experience_apis.audiences.crm_ui import compose
from experience_apis.callers import callers_instance
from kit import clock

_SYSTEM = "CRM"


class CrmUiService:
    """What a salesperson's CRM screen calls and waits for."""

    def __init__(self, activations: OpportunityToProject, projects: ProjectView) -> None:
        self._activations = activations
        self._projects = projects

    async def activate_opportunity(self, opportunity_id: str) -> ActivationScreen:
        """Accepted with a status link, or ActivationBlocked with everything that is missing."""
        request = ActivationRequest(instance=callers_instance(_SYSTEM), opportunity_id=opportunity_id)
        return compose.activation_screen(await self._activations.start_activation(request))

    async def get_activation(self, opportunity_id: str) -> ActivationScreen:
        """The steps with their times."""
        activations = await self._activations.list_activations(
            instance=callers_instance(_SYSTEM), opportunity_id=opportunity_id, limit=1
        )
        if not activations.items:
            raise NotFound("This opportunity was never activated.")
        return compose.activation_screen(await self._activations.get_activation(activations.items[0].id))

    async def get_account_overview(self, account_id: str) -> AccountScreen:
        """The account's projects from the view of projects; no vendor is called."""
        overview = await self._projects.get_account(callers_instance(_SYSTEM), account_id)
        return compose.account_screen(overview, clock.now())
