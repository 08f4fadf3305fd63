"""Customer master's API: propose, look, decide."""

from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import id_of
from contracts.canonical.workflow import Mode, WorkflowStatus
from contracts.problems import Fault, Invalid, NotFound
from contracts.process.customer_master import (
    CustomerDecision,
    CustomerProposal,
    CustomerRequest,
    CustomerRequests,
)
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from kit import context
from kit.database.rows import bounds
from kit.workflows import Owner, RunRow
from process_apis.decision_service import DecisionDuties, DecisionService
from process_apis.erp_customers import customer_of, own_candidates
from process_apis.failures import NOT_NOW
from process_apis.flows.customer_master.state import NAME, ProposalInput, RequestState
from process_apis.systems import instance_of
from process_apis.workflow_service import ENDED_WITHOUT, Beginning

# How long a decision waits for the ERP to say that it has a customer.
LOOK_SECONDS = 2.5


class CustomerMasterService(DecisionService[CustomerRequest]):
    """Customers are created in the ERP only through here."""

    flow, noun = NAME, "request"
    view, input, state = CustomerRequest, ProposalInput, RequestState
    duty = DecisionDuties("approve-customer", asking="request-customer", waiting="start-activation")

    async def propose_customer(self, body: CustomerProposal) -> CustomerRequest:
        """The request, new or existing: one per CRM account and selling entity at a time."""
        self._systems.require(Crm, body.instance)
        self._reference.require_entity(body.selling_entity)
        mode = self._mode(body.instance)
        account_id = self._systems.canonical_id(body.instance, "customer", body.account_id)
        proposal = msgspec.structs.replace(body, account_id=account_id)
        first = id_of("creq", body.instance, account_id, body.selling_entity)
        earlier = await self._earlier(first, body.after)
        if earlier is not None and await self._is_put_right(earlier):
            return await self.get_request(earlier.id)
        if earlier is not None and body.after and earlier.status in ENDED_WITHOUT:
            return await self.get_request(await self._succeed(earlier, mode, proposal))
        identity = earlier.id if earlier is not None else first
        await self._start_once(identity, mode, lambda: self._beginning(proposal))
        return await self.get_request(identity)

    async def _earlier(self, first: str, after: str) -> RunRow | None:
        """The request that a proposal is about: the one that it names, else the account's last."""
        if not after:
            return await self._newest(first)
        if after != first and not after.startswith(f"{first}:"):
            raise Invalid(errors=(Fault("/after", f"{after} is no request of this account.", "unknown"),))
        return await self._row(after)

    async def _is_put_right(self, earlier: RunRow) -> bool:
        """Whether the request waited for a correction of the account, which a new proposal says was made."""
        async with self._database.begin() as connection:
            return await self._put_right(connection, earlier.exception_id)

    async def _succeed(self, ended: RunRow, mode: Mode, proposal: CustomerProposal) -> str:
        """The id of the request that asks anew, new or existing; the ended one's while a case is open."""
        begun = await self._beginning(proposal, ended.status_text)
        async with self._database.begin() as connection:
            return await self._succeed_run(connection, ended, mode=mode, **msgspec.structs.asdict(begun))

    async def _beginning(self, proposal: CustomerProposal, ended: str = "") -> Beginning:
        systems = await self._assigned(proposal.selling_entity)
        given = ProposalInput(**msgspec.structs.asdict(proposal), systems=systems, ended=ended)
        owner = Owner(proposal.selling_entity, instances=(proposal.instance,), systems=systems)
        return Beginning(given, proposal.account_id, owner)

    async def get_request(self, request_id: str) -> CustomerRequest:
        """The request with its timeline."""
        return await self._read(request_id)

    async def list_requests(
        self, status: WorkflowStatus | None = None, cursor: str | None = None, limit: int = 50
    ) -> CustomerRequests:
        """A page of requests, newest first."""
        return CustomerRequests(*await self._find(status=status, cursor=cursor, limit=limit))

    async def decide_request(self, request_id: str, body: CustomerDecision) -> CustomerRequest:
        """The request with a person's decision recorded."""
        if body.decision == "merge" and not body.merge_with:
            raise _wrong_merge("Name the ERP customer to merge with.", "missing")
        row = await self._row(request_id)
        decision = await self._spelled(row, body) if body.decision == "merge" else body
        await self._decide(row, decision, action=body.decision, comment=body.comment)
        return await self.get_request(request_id)

    async def _spelled(self, row: RunRow, body: CustomerDecision) -> CustomerDecision:
        """A merge with the ERP's own spelling of the customer's id; raises Invalid where it has none such.

        A slow ERP is asked later, by the flow.
        """
        given = msgspec.convert(row.input, ProposalInput)
        systems = self._systems.pinned_or_current(given.systems, given.selling_entity)
        try:
            wanted = self._systems.canonical_id(instance_of(Erp, systems), "customer", body.merge_with)
            if row.status == "waiting":
                with context.within(LOOK_SECONDS), suppress(*NOT_NOW):
                    await customer_of(self._systems.of(Erp, systems), given.selling_entity, wanted)
        except NotFound as problem:
            raise _wrong_merge(problem.detail, "unknown") from None
        return msgspec.structs.replace(body, merge_with=wanted)

    async def _more(self, connection: AsyncConnection, row: RunRow, state: RequestState) -> dict[str, Any]:
        return await self._persons(connection, row) | {
            "proposal": msgspec.convert(row.input, CustomerProposal),
            "needs_approval_because": state.reasons,
            "candidates": own_candidates(state.candidates, bounds()),
        }


def _wrong_merge(detail: str, code: str) -> Invalid:
    return Invalid(errors=(Fault("/merge_with", detail, code),))
