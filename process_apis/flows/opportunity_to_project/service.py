"""Opportunity to project's API: activate, look."""

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import id_of
from contracts.canonical.workflow import WorkflowStatus
from contracts.events.kinds import RecordChanged
from contracts.problems import NotFound, Unavailable
from contracts.process.opportunity_to_project import Activation, ActivationRequest, Activations
from contracts.system.crm import Crm
from kit import context, crossrefs, exceptions, privacy
from kit.database import is_refusal
from kit.database.rows import Bounds, bounds
from kit.inbox import InboxRow
from kit.workflows import Owner, RunRow, number_of
from process_apis.failures import NOT_NOW, SALES
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.judging import account_of, terms_or_blocked
from process_apis.flows.opportunity_to_project.steps import (
    CUSTOMER_TOPIC,
    NAME,
    ActivationInput,
    ActivationState,
)
from process_apis.workflow_service import WorkflowService

FIRST_REVISION = 1
OUR_PREFIX = "opp_"
_NOT_YOURS = "No opportunity that you may see has this id."


class Checked(msgspec.Struct, frozen=True):
    """An opportunity that may be activated, and the legal entity that sells it, empty while not known."""

    opportunity_id: str
    entity: str = ""


def activation_id(instance: str, opportunity_id: str, revision: int) -> str:
    """One activation per instance, opportunity and revision."""
    return id_of("act", instance, opportunity_id, f"r{revision}")


class OpportunityToProjectService(WorkflowService[Activation]):
    """One activation per deal, however often it is requested."""

    flow, noun, wait_topic = NAME, "activation", CUSTOMER_TOPIC
    view, input, state = Activation, ActivationInput, ActivationState

    async def start_activation(self, body: ActivationRequest) -> Activation:
        """The activation, new or existing; raises ActivationBlocked with everything that is missing."""
        if bounds().keys() <= {"instance"}:
            return await self._activate(body)
        try:
            return await self._activate(body)
        except NotFound:  # one answer, whether there is no such opportunity or it is another's
            raise NotFound(_NOT_YOURS) from None

    async def _activate(self, body: ActivationRequest) -> Activation:
        self._systems.require(Crm, body.instance)
        opportunity_id = await self._vendor_id(body.instance, body.opportunity_id)
        run = await self._newest(activation_id(body.instance, opportunity_id, FIRST_REVISION))
        if run is None or await self._waits_for_owner(run):
            checked = await self._check(body, opportunity_id)
            opportunity_id, entity = checked.opportunity_id, checked.entity
        else:
            entity = run.entity
        async with self._database.begin() as connection:
            identity = await self._go_on(connection, body.instance, opportunity_id, entity)
        return await self.get_activation(identity)

    async def _waits_for_owner(self, run: RunRow) -> bool:
        """Whether a run has ended so that another may begin, or waits for its owner's correction."""
        async with self._database.connect() as connection:
            cases = [
                await exceptions.owner_of(connection, each) for each in await self._cases(connection, run)
            ]
        return SALES in cases or self._is_over(run)

    def _is_over(self, run: RunRow) -> bool:
        """Whether another activation may take the run's place: it made nothing, or took back what it made."""
        instance = msgspec.convert(run.input, ActivationInput).instance
        return run.status == "undone" or (run.status == "observed" and self._modes.mode(instance) == "live")

    async def _cases(self, connection: AsyncConnection, run: RunRow) -> list[str]:
        """The open exceptions for which a run waits: its own, or that of its customer's request."""
        awaited = await self._awaited(connection, run)
        return [each.exception_id for each in (run, awaited) if each is not None and each.exception_id]

    async def _go_on(
        self, connection: AsyncConnection, instance: str, opportunity_id: str, entity: str = "", **more: str
    ) -> str:
        """The id of the activation that a deal has now: begun, begun anew, gone on with, or as it is."""
        first = activation_id(instance, opportunity_id, FIRST_REVISION)
        run = await self._runtime.newest(connection, first)
        if run is None:
            await self._begin(connection, instance, opportunity_id, entity, **more)
            return first
        for case in await self._cases(connection, run):
            if await self._put_right(connection, case):
                break
        else:
            if self._is_over(run):
                beginning = self._beginning(instance, opportunity_id, entity, number_of(run.id) + 1)
                return await self._succeed_run(connection, run, **beginning, **more)
        await self._runtime.ask_again(connection, run.id, actor=await privacy.actor(connection))
        return run.id

    async def _check(self, body: ActivationRequest, opportunity_id: str) -> Checked:
        """The opportunity as the CRM has it when all is well; as asked for when the CRM is too late."""
        crm = self._systems.client(Crm, body.instance)
        bound = bounds()
        try:
            with context.within(body.within):
                opportunity = await crm.get_opportunity(opportunity_id)
                entity = rules.entity_of(opportunity, self._reference)
                _demand_own(bound, entity)
                customer = await account_of(crm, opportunity)
        except NOT_NOW as problem:
            if is_refusal(problem):
                raise
            if bound.keys() <= {"instance"}:
                return Checked(opportunity_id)
            raise Unavailable("The CRM did not say in time whose opportunity this is.") from None
        terms_or_blocked(body.instance, opportunity, customer, self._reference, FIRST_REVISION)
        return Checked(opportunity.id, entity)

    async def _begin(
        self, connection: AsyncConnection, instance: str, opportunity_id: str, entity: str = "", **more: str
    ) -> bool:
        self._mode(instance)
        await crossrefs.mint(
            connection,
            "opportunity",
            instance=instance,
            object="opportunity",
            vendor_id=opportunity_id,
            prefix="opp",
        )
        first = activation_id(instance, opportunity_id, FIRST_REVISION)
        return await self._start(
            connection, first, **self._beginning(instance, opportunity_id, entity), **more
        )

    def _beginning(self, instance: str, opportunity_id: str, entity: str, number: int = 1) -> dict[str, Any]:
        """With what an activation begins; `number` says which of the deal it is."""
        return {
            "input": ActivationInput(instance, opportunity_id, FIRST_REVISION, number),
            "mode": self._mode(instance),
            "subject": opportunity_id,
            "owner": Owner(entity, instances=(instance,)),
        }

    async def on_opportunity_won(self, connection: AsyncConnection, row: InboxRow) -> None:
        """The event path: the same as the button's, in the inbox's own transaction."""
        change = msgspec.convert(row.data, RecordChanged)
        if self._modes.mode(change.instance) == "off":
            return
        opportunity_id = self._systems.canonical_id(change.instance, "opportunity", change.id)
        first = activation_id(change.instance, opportunity_id, FIRST_REVISION)
        run = await self._runtime.newest(connection, first)
        # A win of before the end, delivered late or again, is not a new one. Some clocks count whole seconds.
        if run is None or not run.finished_at or row.occurred_at >= run.finished_at.replace(microsecond=0):
            await self._go_on(connection, change.instance, opportunity_id, correlation_id=row.correlation_id)

    async def get_activation(self, activation_id: str) -> Activation:
        """The activation with its timeline."""
        return await self._read(activation_id)

    async def list_activations(
        self,
        instance: str | None = None,
        opportunity_id: str | None = None,
        status: WorkflowStatus | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Activations:
        """A page of activations, newest first, without timelines."""
        asked = {"instance": instance, "opportunity_id": opportunity_id}
        subjects: tuple[str, ...] | None = None
        if opportunity_id and not instance:
            # The instance of the id is not given: it is spelled as any CRM of ours would.
            subjects = self._systems.spellings(Crm, "opportunity", opportunity_id)
            asked["opportunity_id"] = None
        if instance and opportunity_id:
            try:
                asked["opportunity_id"] = await self._vendor_id(instance, opportunity_id)
            except NotFound:
                if bounds().keys() <= {"instance"}:
                    raise
                return Activations(())
        items, next_cursor = await self._find(
            matching={name: value for name, value in asked.items() if value},
            subjects=subjects,
            status=status,
            cursor=cursor,
            limit=limit,
        )
        return Activations(items, next_cursor)

    async def _more(self, connection: AsyncConnection, row: RunRow, state: Any) -> dict[str, Any]:
        del connection, state
        return {"seconds": (row.finished_at - row.started_at).total_seconds() if row.finished_at else None}

    async def _vendor_id(self, instance: str, opportunity_id: str) -> str:
        """The CRM's own id in its one spelling, also where the caller gave ours; raises NotFound."""
        if not opportunity_id.startswith(OUR_PREFIX):
            return self._systems.canonical_id(instance, "opportunity", opportunity_id)
        async with self._database.connect() as connection:
            refs = await crossrefs.refs(connection, opportunity_id)
        their_id = next((ref.id for ref in refs if ref.instance == instance), None)
        if their_id is None:
            raise NotFound(f"No opportunity of {instance} has the id {opportunity_id}.")
        return their_id


def _demand_own(bound: Bounds, entity: str) -> None:
    """That the caller may see the entity's deals; who is bound by more begins none."""
    if not bound.keys() <= {"entity", "instance"} or entity not in bound.get("entity", (entity,)):
        raise NotFound(_NOT_YOURS)
