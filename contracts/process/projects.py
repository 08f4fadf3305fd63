"""The view of projects: the deals that are being made into projects, and what became of each."""

import datetime as dt
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.contract import BillingLine
from contracts.canonical.values import Cursor, Id, Instance, Instant, Money, PageSize, Ref
from contracts.canonical.workflow import WorkflowStatus
from contracts.operation import RowRule, api, operation
from contracts.problems import NotFound

_Entity = Annotated[str, Meta(min_length=1, max_length=60)]


class ProjectSummary(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A deal with its contract and its project, as far as they were made; `status` is its run's."""

    instance: str
    opportunity_id: str
    activation_id: str
    account_id: str
    name: str
    status: WorkflowStatus
    value: Money
    account_name: str = ""
    selling_entity: str = ""
    customer_id: str = ""
    contract_id: str = ""
    project_id: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    billing_schedule: tuple[BillingLine, ...] = ()
    updated_at: Instant


class ProjectSummaries(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[ProjectSummary, ...]
    next_cursor: str | None = None


class AccountProject(msgspec.Struct, frozen=True, omit_defaults=True):
    """One contract and its project as the view knows them."""

    contract_id: str
    project_id: str
    project_name: str
    opportunity_id: str
    contract_value: Money
    activation_status: WorkflowStatus
    start: dt.date | None = None
    end: dt.date | None = None
    billing_schedule: tuple[BillingLine, ...] = ()
    refs: tuple[Ref, ...] = ()


class AccountOverview(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that we know of an account's projects, as of an instant; no vendor is asked."""

    instance: str
    account_id: str
    as_of: Instant
    customer_id: str = ""
    customer_name: str = ""
    customer_status: str = ""
    items: tuple[AccountProject, ...] = ()


@api(
    "process",
    "projects",
    version=1,
    summary="The deals that are made into projects, and what became of each",
    data_classes=("commercial", "financial", "personal"),
)
class ProjectView(Protocol):
    """Read only, and a moment behind the flows, whose events it follows."""

    @operation("GET", "/projects", summary="List projects, in the order of their deals")
    async def list_projects(
        self,
        instance: Instance | None = None,
        account_id: Id | None = None,
        customer_id: Id | None = None,
        project_id: Id | None = None,
        entity: _Entity | None = None,
        status: WorkflowStatus | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> ProjectSummaries:
        """A page of projects."""
        ...

    @operation(
        "GET",
        "/projects/{instance}/{opportunity_id}",
        summary="Read the project of a deal",
        rows=(RowRule("path", "instance", "instance"),),
        problems=(NotFound,),
    )
    async def get_project(self, instance: Instance, opportunity_id: Id) -> ProjectSummary:
        """The project of a CRM's opportunity; raises NotFound for a deal that has no terms yet."""
        ...

    @operation(
        "GET",
        "/accounts/{instance}/{account_id}",
        summary="Read what we know of a CRM account's projects and contracts",
        rows=(RowRule("path", "instance", "instance"),),
        problems=(NotFound,),
    )
    async def get_account(self, instance: Instance, account_id: Id) -> AccountOverview:
        """The account's overview; raises NotFound for an account never seen."""
        ...
