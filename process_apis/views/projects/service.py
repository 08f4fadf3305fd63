"""The API of the view of projects: list, read, and an account's overview."""

from typing import Any

import msgspec
import sqlalchemy as sa

from contracts.events.kinds import ActivationUpdated
from contracts.problems import NotFound
from contracts.process.projects import AccountOverview, ProjectSummaries, ProjectSummary
from contracts.system.crm import Crm
from kit.database.rows import own
from process_apis.module import FlowDependencies
from process_apis.views.paging import read_page
from process_apis.views.projects.overview import get_overview
from process_apis.views.projects.table import projects


class ProjectViewService:
    """The accounts and projects that the caller may see."""

    def __init__(self, dependencies: FlowDependencies) -> None:
        self._database = dependencies.database
        self._systems = dependencies.systems

    async def list_projects(
        self,
        instance: str | None = None,
        account_id: str | None = None,
        customer_id: str | None = None,
        project_id: str | None = None,
        entity: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ProjectSummaries:
        """A page of projects, in the order of their deals."""
        wanted = {
            projects.c.instance: instance,
            projects.c.customer_id: customer_id,
            projects.c.entity: entity,
            projects.c.status: status,
            projects.c.document["project_id"].astext: project_id,
        }
        conditions = [column == value for column, value in wanted.items() if value is not None]
        query = sa.select(projects).where(*conditions, *own(projects))
        if account_id is not None:
            spelled = self._systems.spellings(Crm, "customer", account_id)
            query = query.where(projects.c.account_id.in_({account_id, *spelled}))
        keys = (projects.c.instance, projects.c.opportunity_id)
        async with self._database.connect() as connection:
            page = await read_page(connection, query, keys, cursor, limit)
        return ProjectSummaries(tuple(map(_summary, page.rows)), page.next_cursor)

    async def get_project(self, instance: str, opportunity_id: str) -> ProjectSummary:
        """The project of a CRM's opportunity; raises NotFound."""
        opportunity_id = self._systems.canonical_id(instance, "opportunity", opportunity_id)
        deal = (projects.c.instance == instance, projects.c.opportunity_id == opportunity_id)
        query = sa.select(projects).where(*deal, *own(projects))
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"No project is known of the opportunity {opportunity_id} in {instance}.")
        return _summary(row)

    async def get_account(self, instance: str, account_id: str) -> AccountOverview:
        """What is known of an account; raises NotFound for one never seen."""
        account_id = self._systems.canonical_id(instance, "customer", account_id)
        async with self._database.connect() as connection:
            overview = await get_overview(connection, instance, account_id)
        if overview is None:
            raise NotFound(f"Nothing is known of the account {account_id} in {instance}.")
        return overview


def _summary(row: Any) -> ProjectSummary:
    activation = msgspec.convert(row.document, ActivationUpdated)
    shared = set(ProjectSummary.__struct_fields__) & set(ActivationUpdated.__struct_fields__)
    fields = {name: getattr(activation, name) for name in shared}
    return ProjectSummary(**{**fields, "status": row.status, "updated_at": row.updated_at})
