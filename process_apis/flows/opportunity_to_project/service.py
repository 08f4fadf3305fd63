"""Opportunity to project's API: activate, look, and what is known of an account."""

from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import id_of
from contracts.canonical.workflow import WorkflowStatus
from contracts.events.kinds import CustomerSettled, RecordChanged
from contracts.problems import (
    Conflict,
    DeadlineExceeded,
    NotFound,
    Unavailable,
    VendorUnavailable,
)
from contracts.process.opportunity_to_project import (
    AccountOverview,
    Activation,
    ActivationRequest,
    Activations,
)
from contracts.system.crm import Crm
from kit import context, crossrefs, privacy
from kit.database import Database
from kit.database.rows import Bounds, bounds
from kit.inbox import InboxRow
from kit.workflows import Owner, RunRow, Runtime
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.judging import account_of, terms_or_blocked
from process_apis.flows.opportunity_to_project.steps import (
    CUSTOMER_TOPIC,
    NAME,
    ActivationInput,
    ActivationState,
)
from process_apis.reference import Reference
from process_apis.settings import FlowSettings
from process_apis.systems import Systems
from process_apis.views import projects
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
    """One activation per deal, whoever asks and however often."""

    flow = NAME
    noun = "activation"

    def __init__(
        self,
        *,
        runtime: Runtime,
        database: Database,
        systems: Systems,
        reference: Reference,
        settings: FlowSettings,
    ) -> None:
        super().__init__(runtime, database)
        self._systems = systems
        self._reference = reference
        self._settings = settings

    async def start_activation(self, body: ActivationRequest) -> Activation:
        """The activation, started or found; ActivationBlocked with everything that is missing."""
        if bounds().keys() <= {"instance"}:
            return await self._activate(body)
        try:
            return await self._activate(body)
        except NotFound:  # one answer, whether there is no such opportunity or it is another's
            raise NotFound(_NOT_YOURS) from None

    async def _activate(self, body: ActivationRequest) -> Activation:
        self._systems.require(Crm, body.instance)
        opportunity_id = await self._vendor_id(body.instance, body.opportunity_id)
        found = await self._runtime.read(activation_id(body.instance, opportunity_id, FIRST_REVISION))
        if found is not None:
            async with self._database.begin() as connection:
                await self._runtime.ask_again(connection, found.id, actor=await privacy.actor(connection))
            return await self._whole(found)
        checked = await self._check(body, opportunity_id)
        async with self._database.begin() as connection:
            await self._begin(connection, body.instance, checked.opportunity_id, entity=checked.entity)
        return await self.get_activation(activation_id(body.instance, checked.opportunity_id, FIRST_REVISION))

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
        except (VendorUnavailable, Unavailable, DeadlineExceeded):
            if bound.keys() <= {"instance"}:
                return Checked(opportunity_id)
            raise Unavailable("The CRM did not say in time whose opportunity this is.") from None
        terms_or_blocked(body.instance, opportunity, customer, self._reference, FIRST_REVISION)
        return Checked(opportunity.id, entity)

    async def _begin(
        self, connection: AsyncConnection, instance: str, opportunity_id: str, entity: str = "", **more: str
    ) -> bool:
        mode = self._settings.mode(instance)
        if mode == "off":
            raise Conflict(f"Activation is switched off for {instance}.")
        await crossrefs.mint(
            connection,
            "opportunity",
            instance=instance,
            object="opportunity",
            vendor_id=opportunity_id,
            prefix="opp",
        )
        return await self._start(
            connection,
            activation_id(instance, opportunity_id, FIRST_REVISION),
            input=ActivationInput(instance, opportunity_id, FIRST_REVISION),
            mode=mode,
            subject=opportunity_id,
            owner=Owner(entity, instances=(instance,)),
            **more,
        )

    async def on_opportunity_won(self, connection: AsyncConnection, row: InboxRow) -> None:
        """The event path: the same workflow as the button's, started in the inbox's own transaction."""
        change = msgspec.convert(row.data, RecordChanged)
        if self._settings.mode(change.instance) != "off":
            opportunity_id = self._systems.canonical_id(change.instance, "opportunity", change.id)
            await self._begin(connection, change.instance, opportunity_id, correlation_id=row.correlation_id)

    async def on_customer_settled(self, connection: AsyncConnection, row: InboxRow) -> None:
        """Customer master has come to an end: wake every activation that waits for it."""
        settled = msgspec.convert(row.data, CustomerSettled)
        waiting = await self._runtime.waiting_for(connection, settled.request_id, flow=NAME)
        for identity in waiting:
            await self._runtime.signal(
                connection, identity, CUSTOMER_TOPIC, settled, key=f"{row.id}:{identity}"
            )

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
            # Whose id it is, is not said: as any CRM of ours would spell it.
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

    async def _view(
        self,
        connection: AsyncConnection,  # noqa: ARG002 - the base's
        row: RunRow,
        shared: dict[str, Any],
    ) -> Activation:
        given = msgspec.convert(row.input, ActivationInput)
        state = msgspec.convert(row.data, ActivationState)
        seconds = (row.finished_at - row.started_at).total_seconds() if row.finished_at else None
        own = msgspec.structs.asdict(given) | msgspec.structs.asdict(state)
        return Activation(**shared, **own, seconds=seconds)

    async def get_account(self, instance: str, account_id: str) -> AccountOverview:
        """What the view of projects knows of an account."""
        account_id = self._systems.canonical_id(instance, "customer", account_id)
        async with self._database.connect() as connection:
            overview = await projects.get_overview(connection, instance, account_id)
        if overview is None:
            raise NotFound(f"Nothing is known of the account {account_id} in {instance}.")
        return overview

    async def _vendor_id(self, instance: str, opportunity_id: str) -> str:
        """The CRM's own id in its one spelling, also where the caller gave ours; raises NotFound."""
        if not opportunity_id.startswith(OUR_PREFIX):
            return self._systems.canonical_id(instance, "opportunity", opportunity_id)
        async with self._database.connect() as connection:
            refs = await crossrefs.refs(connection, opportunity_id)
        found = next((ref.id for ref in refs if ref.instance == instance), None)
        if found is None:
            raise NotFound(f"No opportunity of {instance} has the id {opportunity_id}.")
        return found


def _demand_own(bound: Bounds, entity: str) -> None:
    """That the caller may see the entity's deals; who is bound by more begins none."""
    if not bound.keys() <= {"entity", "instance"} or entity not in bound.get("entity", (entity,)):
        raise NotFound(_NOT_YOURS)
