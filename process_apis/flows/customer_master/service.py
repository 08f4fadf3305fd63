"""Customer master's API: propose, look, decide."""

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.customer import Customer
from contracts.canonical.values import id_of
from contracts.canonical.workflow import WorkflowStatus
from contracts.problems import AlreadyDecided, Conflict, Fault, Invalid, NotFound
from contracts.process.customer_master import (
    CustomerDecision,
    CustomerProposal,
    CustomerRequest,
    CustomerRequests,
    DuplicateCandidate,
)
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from kit import audit, context, privacy
from kit.database import Database
from kit.database.rows import Bounds, bounds
from kit.workflows import Owner, RunRow, Runtime
from process_apis import read_models
from process_apis.current_policy import CurrentPolicy
from process_apis.flows.customer_master.deciding import Decided
from process_apis.flows.customer_master.settings import CustomerMasterSettings
from process_apis.flows.customer_master.steps import (
    DECISION_TOPIC,
    NAME,
    ProposalInput,
    RequestState,
)
from process_apis.reference import Reference
from process_apis.systems import Systems, assignment_of_run, instance_of
from process_apis.workflow_service import WorkflowService


def request_id(proposal: CustomerProposal) -> str:
    """One request per CRM account and selling entity."""
    return id_of("creq", proposal.instance, proposal.account_id, proposal.selling_entity)


class CustomerMasterService(WorkflowService[CustomerRequest]):
    """Customers are created in the ERP only through here."""

    flow = NAME
    noun = "request"

    def __init__(
        self,
        *,
        runtime: Runtime,
        database: Database,
        systems: Systems,
        current_policy: CurrentPolicy,
        reference: Reference,
        settings: CustomerMasterSettings,
    ) -> None:
        super().__init__(runtime, database)
        self._current_policy = current_policy
        self._reference = reference
        self._systems = systems
        self._settings = settings

    async def propose_customer(self, body: CustomerProposal) -> CustomerRequest:
        """The request, started or found."""
        self._systems.require(Crm, body.instance)
        if body.selling_entity not in self._reference.entities:
            # A route for every other entity is for those that we have.
            detail = f"No legal entity of ours is named {body.selling_entity}."
            raise NotFound(detail, errors=(Fault("/selling_entity", detail, "unknown"),))
        mode = self._settings.mode(body.instance)
        if mode == "off":
            raise Conflict(f"Customer master is switched off for {body.instance}.")
        account_id = self._systems.canonical_id(body.instance, "customer", body.account_id)
        body = msgspec.structs.replace(body, account_id=account_id)
        identity = request_id(body)
        found = await self._runtime.read(identity)
        observed = found is not None and found.status == "observed"
        given = await self._input(body) if found is None or observed else None
        async with self._database.begin() as connection:
            if found is not None:
                await self._runtime.ask_again(connection, identity, actor=await privacy.actor(connection))
            if observed and given is not None and mode == "live":
                await self._runtime.restart(connection, identity, {}, given, mode)
            elif found is None and given is not None:
                await self._start(
                    connection,
                    identity,
                    input=given,
                    mode=mode,
                    subject=body.account_id,
                    owner=Owner(
                        body.selling_entity,
                        instances=(body.instance,),
                        systems=given.systems,
                    ),
                )
        return await self.get_request(identity)

    async def _input(self, proposal: CustomerProposal) -> ProposalInput:
        """The proposal with its systems: those of the run that asks, else those of the routing in force.

        Only a run of the deployment has an id in the context, so that nobody from outside chooses.
        """
        asking = context.current().workflow_id
        pinned = assignment_of_run(await self._runtime.read(asking)) if asking else {}
        systems = self._systems.pinned_or_current(pinned, proposal.selling_entity)
        return ProposalInput(**msgspec.structs.asdict(proposal), systems=systems)

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
            fault = Fault("/merge_with", "Name the ERP customer to merge with.", "missing")
            raise Invalid(errors=(fault,))
        row = await self._row(request_id)
        body = self._spelled(row, body)
        asked = state_of(row).asked
        async with self._database.begin() as connection:
            by = await privacy.actor(connection)
            await self._require_different_person(connection, row, by, context.current().who)
            taken = await self._runtime.decide(connection, request_id, asked, by)
            if taken is None:
                raise AlreadyDecided("This request was decided before.")
            if state_of(taken).asked != asked:
                raise Conflict("What is to be decided has changed meanwhile: read the request again.")
            if taken.status != "waiting":
                raise Conflict(f"The request does not wait for a decision: it is {taken.status}.")
            await self._runtime.signal(
                connection,
                request_id,
                DECISION_TOPIC,
                Decided(body, by),
                key=f"{request_id}:{asked}",
            )
            await audit.write(
                connection,
                actor=by,
                consumer=audit.consumer(),
                action=f"customer-master.{body.decision}",
                subject=request_id,
                outcome="accepted",
                personal={"comment": body.comment},
                correlation_id=row.correlation_id,
            )
        return await self.get_request(request_id)

    def _spelled(self, row: RunRow, body: CustomerDecision) -> CustomerDecision:
        """The decision with the ERP's own spelling of the customer to merge with; raises Invalid."""
        if body.decision != "merge":
            return body
        given = msgspec.convert(row.input, ProposalInput)
        systems = self._systems.pinned_or_current(given.systems, given.selling_entity)
        try:
            wanted = self._systems.canonical_id(instance_of(Erp, systems), "customer", body.merge_with)
        except NotFound as problem:
            raise Invalid(errors=(Fault("/merge_with", problem.detail, "unknown"),)) from None
        return msgspec.structs.replace(body, merge_with=wanted)

    async def _require_different_person(self, connection: AsyncConnection, row: RunRow, *person: str) -> None:
        """That the decider, under any of his names, neither proposed the customer nor activated its deal."""
        waiting = await self._runtime.requesters(connection, row.id)
        done = {"request-customer": (row.actor, *row.requesters), "start-activation": waiting}
        self._current_policy.duties.require_different_person("approve-customer", person, done)

    async def get_customer(self, customer_id: str) -> Customer:
        """The customer by our id."""
        async with self._database.connect() as connection:
            found = await read_models.get_customer(connection, customer_id)
        if found is None:
            raise NotFound(f"No customer has the id {customer_id}.")
        return found

    async def _view(
        self, connection: AsyncConnection, row: RunRow, shared: dict[str, Any]
    ) -> CustomerRequest:
        state = state_of(row)
        return CustomerRequest(
            **shared,
            proposal=msgspec.convert(row.input, CustomerProposal),
            needs_approval_because=state.reasons,
            candidates=own_candidates(state.candidates, bounds()),
            before=state.before,
            after=state.after,
            customer_id=state.customer_id,
            legal_name=state.legal_name,
            credit_limit=state.credit_limit,
            requested_by=await privacy.shown(connection, row.actor),
            decided_by=await privacy.shown(connection, row.decisions.get(state.asked, "")),
            refs=state.refs,
        )


def own_candidates(
    candidates: tuple[DuplicateCandidate, ...], bound: Bounds
) -> tuple[DuplicateCandidate, ...]:
    """The possible duplicates that the caller may see; who is bound to a customer sees no other."""
    if not bound.keys() <= {"entity", "instance"}:
        return ()
    entities = bound.get("entity")
    return tuple(one for one in candidates if entities is None or one.selling_entity in entities)


def state_of(row: RunRow) -> RequestState:
    """What a request shows of itself."""
    return msgspec.convert(row.data, RequestState)
