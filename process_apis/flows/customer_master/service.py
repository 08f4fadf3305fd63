"""Customer master's API: propose, look, decide."""

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.customer import Customer
from contracts.canonical.values import id_of
from contracts.canonical.workflow import PlannedRequest, Step, WorkflowStatus
from contracts.problems import AlreadyDecided, Conflict, Fault, Invalid, NotFound
from contracts.process.customer_master import (
    CustomerDecision,
    CustomerProposal,
    CustomerRequest,
    CustomerRequests,
    DuplicateCandidate,
)
from kit import audit, context, privacy
from kit.database import Database
from kit.database.rows import bounds
from kit.workflows import RunRow, Runtime
from process_apis import read_models
from process_apis.current_policy import CurrentPolicy
from process_apis.flows.customer_master.deciding import Decided
from process_apis.flows.customer_master.settings import CustomerMasterSettings
from process_apis.flows.customer_master.steps import (
    DECISION_TOPIC,
    NAME,
    ProposalInput,
    limit_of,
    refs_of,
)
from process_apis.reference import Reference
from process_apis.systems import Systems, assignment_of_run


def request_id(proposal: CustomerProposal) -> str:
    """One request per CRM account and selling entity."""
    return id_of("creq", proposal.instance, proposal.account_id, proposal.selling_entity)


class CustomerMasterService:
    """Customers are created in the ERP only through here."""

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
        self._current_policy = current_policy
        self._reference = reference
        self._runtime = runtime
        self._database = database
        self._systems = systems
        self._settings = settings

    async def propose_customer(self, body: CustomerProposal) -> CustomerRequest:
        """The request, started or found."""
        if self._systems.crm(body.instance) is None:
            fault = Fault("/instance", f"No CRM instance is named {body.instance}.", "unknown")
            raise NotFound(fault.detail, errors=(fault,))
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
        here = context.current()
        found = await self._runtime.read(identity)
        observed = found is not None and found.status == "observed"
        given = await self._input(body) if found is None or observed else None
        async with self._database.begin() as connection:
            who = await privacy.actor(connection)
            if found is not None:
                await self._runtime.ask_again(connection, identity, actor=who)
            if observed and given is not None and mode == "live":
                await self._runtime.restart(connection, identity, {}, given, mode)
            elif found is None and given is not None:
                await self._runtime.start(
                    connection,
                    flow=NAME,
                    workflow_id=identity,
                    input=given,
                    correlation_id=here.correlation_id,
                    subject=body.account_id,
                    actor=who,
                    entity=body.selling_entity,
                    mode=mode,
                )
        return await self.get_request(identity)

    async def _input(self, proposal: CustomerProposal) -> ProposalInput:
        """The proposal with its systems: those of the run that asks, else those of the routing in force.

        Only a run of the deployment has an id in the context, so that nobody from outside chooses.
        """
        asking = context.current().workflow_id
        kept = assignment_of_run(await self._runtime.read(asking)) if asking else None
        systems = kept or self._systems.choose(proposal.selling_entity)
        return ProposalInput(**msgspec.structs.asdict(proposal), systems=systems)

    async def get_request(self, request_id: str) -> CustomerRequest:
        """The request with its timeline."""
        row = await self._row(request_id)
        timeline = await self._runtime.timeline(request_id)
        planned_requests = (
            await self._runtime.planned_requests(request_id) if row.status == "observed" else ()
        )
        async with self._database.connect() as connection:
            return await _request(connection, row, timeline, planned_requests)

    async def list_requests(
        self, status: WorkflowStatus | None = None, cursor: str | None = None, limit: int = 50
    ) -> CustomerRequests:
        """A page of requests, newest first."""
        page = await self._runtime.find(flow=NAME, status=status, cursor=cursor, limit=limit)
        async with self._database.connect() as connection:
            found = [await _request(connection, row, ()) for row in page.items]
        return CustomerRequests(tuple(found), page.next_cursor)

    async def decide_request(self, request_id: str, body: CustomerDecision) -> CustomerRequest:
        """The request with a person's decision recorded."""
        if body.decision == "merge" and not body.merge_with:
            fault = Fault("/merge_with", "Name the ERP customer to merge with.", "missing")
            raise Invalid(errors=(fault,))
        row = await self._row(request_id)
        body = self._spelled(row, body)
        asked = asked_of(row.data)
        async with self._database.begin() as connection:
            by = await privacy.actor(connection)
            await self._require_different_person(connection, row, by, context.current().who)
            taken = await self._runtime.set_state_if_absent(
                connection, request_id, **{_decided_by(asked): by}
            )
            if taken is None:
                raise AlreadyDecided("This request was decided before.")
            if asked_of(taken.data) != asked:
                raise Conflict("What is to be decided has changed meanwhile: read the request again.")
            if taken.status != "waiting":
                raise Conflict(f"The request does not wait for a decision: it is {taken.status}.")
            await self._runtime.signal(
                connection,
                request_id,
                DECISION_TOPIC,
                Decided(body, by),
                key=f"{request_id}:{_decided_by(asked)}",
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
        erp = self._systems.pinned_or_current(given.systems, given.selling_entity).erp
        try:
            wanted = self._systems.canonical_id(erp, "customer", body.merge_with)
        except NotFound as problem:
            raise Invalid(errors=(Fault("/merge_with", problem.detail, "unknown"),)) from None
        return msgspec.structs.replace(body, merge_with=wanted)

    async def _require_different_person(self, connection: AsyncConnection, row: RunRow, *person: str) -> None:
        """That the decider, under any of his names, neither proposed the customer nor activated its deal."""
        waiting = await self._runtime.requesters(connection, state={"customer_request_id": row.id})
        done = {"request-customer": (row.actor, *row.requesters), "start-activation": waiting}
        self._current_policy.duties.require_different_person("approve-customer", person, done)

    async def _row(self, request_id: str) -> RunRow:
        row = await self._runtime.read(request_id)
        if row is None or row.flow != NAME:
            raise NotFound(f"No request has the id {request_id}.")
        return row

    async def get_customer(self, customer_id: str) -> Customer:
        """The customer by our id."""
        async with self._database.connect() as connection:
            found = await read_models.get_customer(connection, customer_id)
        if found is None:
            raise NotFound(f"No customer has the id {customer_id}.")
        return found


def _candidates(data: dict[str, Any]) -> tuple[DuplicateCandidate, ...]:
    """Those that the caller may see."""
    found = msgspec.convert(data.get("candidates", ()), tuple[DuplicateCandidate, ...])
    entities = bounds().entities
    return tuple(one for one in found if entities is None or one.selling_entity in entities)


_FIRST = "1.1"


def asked_of(data: dict[str, Any]) -> str:
    """Which question finance is asked, of those that a run asks one after the other."""
    return data.get("asked", _FIRST)


def _decided_by(asked: str) -> str:
    """Under which name a run tells who answered a question."""
    return "decided_by" if asked == _FIRST else f"decided_by {asked}"


async def _request(
    connection: AsyncConnection,
    row: RunRow,
    timeline: tuple[Step, ...],
    planned_requests: tuple[PlannedRequest, ...] = (),
) -> CustomerRequest:
    data: dict[str, Any] = row.data
    return CustomerRequest(
        id=row.id,
        version=row.version,
        status=row.status,
        status_text=row.status_text,
        proposal=msgspec.convert(row.input, CustomerProposal),
        correlation_id=row.correlation_id,
        started_at=row.started_at,
        updated_at=row.updated_at,
        needs_approval_because=tuple(data.get("reasons", ())),
        candidates=_candidates(data),
        before=data.get("before", {}),
        after=data.get("after", {}),
        customer_id=data.get("customer_id", ""),
        legal_name=data.get("legal_name", ""),
        credit_limit=limit_of(data),
        requested_by=await privacy.shown(connection, row.actor),
        decided_by=await privacy.shown(connection, data.get(_decided_by(asked_of(data)), "")),
        due_at=row.due_at,
        exception_id=row.exception_id,
        timeline=timeline,
        would_send=planned_requests,
        refs=refs_of(data),
    )
