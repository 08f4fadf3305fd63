"""The project's ids go back onto the opportunity, as long as it is won."""

import msgspec

from contracts.canonical.opportunity import Opportunity, ProjectLink
from contracts.canonical.project import Project
from contracts.canonical.values import Ref
from contracts.problems import PreconditionFailed
from kit.ownership import Ownership
from kit.workflows import Run
from process_apis.flows.opportunity_to_project.failures import describe_failure
from process_apis.flows.opportunity_to_project.judging import crm_of
from process_apis.flows.opportunity_to_project.rereading import Deal
from process_apis.systems import Systems


class RecordedIds(msgspec.Struct, frozen=True):
    """Our ids of contract and project, with all references of the deal."""

    contract_id: str
    project_id: str
    refs: tuple[Ref, ...]


async def write_back(
    run: Run, systems: Systems, ownership: Ownership, deal: Deal, recorded: RecordedIds, project: Project
) -> Opportunity:
    """The opportunity after the write; one that is no longer won comes back as it is, and unwritten."""
    terms = deal.terms
    crm = crm_of(systems, terms.instance)
    url = next((ref.url for ref in project.refs if ref.url), "")
    link = ProjectLink(project_id=recorded.project_id, status="Activated", project_url=url, only_while="won")

    async def undo(found: Opportunity) -> None:
        if found.stage == "won" or found.project_ref:
            await crm.put_project_link(terms.opportunity_id, ProjectLink(project_id="", status="Undone"))

    async def write() -> Opportunity:
        ownership.demand("opportunity", "won", "enfilade", ["project_ref"])
        try:
            return await crm.put_project_link(terms.opportunity_id, link)
        except PreconditionFailed:
            found = await crm.get_opportunity(terms.opportunity_id)
            if found.stage == "won":
                raise
            return found

    return await run.step(
        "write-back",
        "Write the project's ids back on the opportunity",
        write,
        returns=Opportunity,
        undo=undo,
        undo_title="Take the project's ids off the opportunity",
        refs=lambda opportunity: opportunity.refs,
        detail=lambda opportunity: "" if opportunity.stage == "won" else "Not written: no longer won",
        explain=lambda problem: describe_failure(terms, problem),
        recheck=deal.on_replay,
    )
