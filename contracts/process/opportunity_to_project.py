"""The opportunity-to-project flow: a won deal becomes customer, contract and project, once."""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Cursor, Id, Instance, PageSize
from contracts.canonical.workflow import WorkflowStatus, WorkflowView
from contracts.operation import Link, RowRule, api, operation
from contracts.problems import Conflict, ContractViolation, NotFound, VendorRejected


class ActivationBlocked(Conflict):
    """Something is missing or wrong on the opportunity or its account; each fault says what."""

    code = "activation_blocked"
    title = "The opportunity cannot become a project yet"
    actor = "sales"
    next_step = "Correct what `errors` names in the CRM; a run that waits goes on by itself."


class ActivationRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which opportunity to activate; `within` bounds the synchronous vendor reads, in seconds."""

    instance: Instance
    opportunity_id: Id
    within: Annotated[float, Meta(gt=0, le=10)] = 2.5


class Activation(WorkflowView, frozen=True, omit_defaults=True, kw_only=True):
    """Where an activation stands, with its timeline."""

    instance: str
    opportunity_id: str
    revision: int
    opportunity_name: str = ""
    customer_id: str = ""
    contract_id: str = ""
    project_id: str = ""
    customer_request_id: str = ""
    seconds: float | None = None


class Activations(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[Activation, ...]
    next_cursor: str | None = None


@api(
    "process",
    "opportunity-to-project",
    version=1,
    summary="Won deals become customers, contracts and projects",
    data_classes=("commercial", "financial", "personal"),
)
class OpportunityToProject(Protocol):
    """One activation per instance, opportunity and revision, however often it is requested."""

    @operation(
        "POST",
        "/activations",
        summary="Activate a won opportunity",
        status=202,
        rows=(RowRule("body", "instance", "instance"),),
        problems=(ActivationBlocked, Conflict, ContractViolation, NotFound, VendorRejected),
        links=(Link("get_activation", "activation_id", "id"),),
    )
    async def start_activation(self, body: ActivationRequest) -> Activation:
        """The activation, new or existing; ActivationBlocked lists everything that is missing.

        A vendor that does not answer in time does not refuse: the workflow checks, and parks if it must.
        """
        ...

    @operation(
        "GET",
        "/activations/{activation_id}",
        summary="Read an activation with its timeline",
        problems=(NotFound,),
    )
    async def get_activation(self, activation_id: Id) -> Activation:
        """The activation; raises NotFound."""
        ...

    @operation("GET", "/activations", summary="List activations, newest first")
    async def list_activations(
        self,
        instance: Instance | None = None,
        opportunity_id: Id | None = None,
        status: WorkflowStatus | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> Activations:
        """A page of activations, without their timelines."""
        ...
