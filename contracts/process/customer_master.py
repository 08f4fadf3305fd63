"""The customer-master flow: a CRM account becomes an approved ERP customer, once."""

from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.matching import DuplicateCandidate
from contracts.canonical.values import Currency, Cursor, Id, Instance, Money, PageSize
from contracts.canonical.workflow import Mode, WorkflowStatus, WorkflowView
from contracts.operation import Link, RowRule, api, operation
from contracts.problems import AlreadyDecided, Conflict, NotFound, SegregationOfDuties

Decision = Literal["approve", "reject", "merge"]


class CustomerProposal(msgspec.Struct, frozen=True, omit_defaults=True):
    """A CRM account that should become a customer of a selling entity.

    `after` names a request of it that was rejected or undone, and after which it is asked for anew.
    """

    instance: Instance
    account_id: Id
    selling_entity: Annotated[str, Meta(min_length=1, max_length=60)]
    currency: Currency
    payment_terms: Annotated[str, Meta(max_length=60)] = ""
    after: Annotated[str, Meta(max_length=120)] = ""


class CustomerRequest(WorkflowView, frozen=True, omit_defaults=True, kw_only=True):
    """Where a proposal stands, with its timeline; `needs_approval_because` empty: no approval is needed.

    `before` and `after` say, field by field, what changed of the account since finance last decided on it.
    """

    # Runs of an earlier version have stored none.
    mode: Mode = "live"
    proposal: CustomerProposal
    needs_approval_because: tuple[str, ...] = ()
    candidates: tuple[DuplicateCandidate, ...] = ()
    before: dict[str, str] = msgspec.field(default_factory=dict)
    after: dict[str, str] = msgspec.field(default_factory=dict)
    customer_id: str = ""
    legal_name: str = ""
    credit_limit: Money | None = None
    requested_by: str = ""
    decided_by: str = ""


class CustomerRequests(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[CustomerRequest, ...]
    next_cursor: str | None = None


class CustomerDecision(msgspec.Struct, frozen=True, omit_defaults=True):
    """What finance decides; *merge* cross-references an existing ERP customer instead of creating one."""

    decision: Decision
    comment: Annotated[str, Meta(max_length=2000)] = ""
    merge_with: Annotated[str, Meta(max_length=120)] = ""


# A merge says with whom.
_MERGE_NAMES_ONE = {
    "if": {"properties": {"decision": {"const": "merge"}}},
    "then": {"required": ["merge_with"], "properties": {"merge_with": {"minLength": 1}}},
}
DecisionGiven = Annotated[CustomerDecision, Meta(extra_json_schema=_MERGE_NAMES_ONE)]


@api(
    "process",
    "customer-master",
    version=1,
    summary="CRM accounts become approved ERP customers",
    data_classes=("commercial", "financial", "personal"),
)
class CustomerMaster(Protocol):
    """Customers are created in the ERP only here, after the checks and approvals that policy asks for."""

    @operation(
        "POST",
        "/requests",
        summary="Propose a CRM account as a customer",
        status=202,
        rows=(RowRule("body", "selling_entity", "entities"), RowRule("body", "instance", "instance")),
        problems=(Conflict,),
        links=(Link("get_request", "request_id", "id"),),
    )
    async def propose_customer(self, body: CustomerProposal) -> CustomerRequest:
        """The request, new or existing: one per CRM account and selling entity at a time.

        One that was rejected or undone stays ended; a proposal `after` it is a request of its own.
        """
        ...

    @operation(
        "GET", "/requests/{request_id}", summary="Read a request with its timeline", problems=(NotFound,)
    )
    async def get_request(self, request_id: Id) -> CustomerRequest:
        """The request; raises NotFound."""
        ...

    @operation("GET", "/requests", summary="List requests, newest first")
    async def list_requests(
        self, status: WorkflowStatus | None = None, cursor: Cursor | None = None, limit: PageSize = 50
    ) -> CustomerRequests:
        """A page of requests."""
        ...

    @operation(
        "POST",
        "/requests/{request_id}/decision",
        summary="Approve, reject or merge a request that waits for finance",
        access="approve",
        roles=("finance",),
        problems=(NotFound, AlreadyDecided, Conflict, SegregationOfDuties),
    )
    async def decide_request(self, request_id: Id, body: DecisionGiven) -> CustomerRequest:
        """The request with the decision recorded; the flow goes on by itself."""
        ...
