"""Opportunity to project, step by step: validate, customer, contract, project, and back to the CRM."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

import msgspec

from contracts.canonical.contract import Contract
from contracts.canonical.project import Project
from contracts.canonical.values import Ref
from contracts.canonical.workflow import WorkflowStatus
from contracts.events.kinds import (
    ACTIVATION_UPDATED,
    CONTRACT_ACTIVATED,
    OPPORTUNITY_WON,
    PROJECT_CREATED,
    STAFFING_DEMAND_PUBLISHED,
    ActivationUpdated,
    ContractActivated,
    ProjectCreated,
    RecordChanged,
    StaffingDemandPublished,
)
from contracts.process.customer_master import CustomerMaster, CustomerRequest
from contracts.routing import SystemAssignment
from contracts.system.crm import PRECONDITION, Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit import clock
from kit.effects import Source
from kit.workflows import Owner, Run, Undone
from process_apis.approved_customers import CustomerMasterSection
from process_apis.cross_references import record_refs
from process_apis.durable_flow import DurableFlow
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.assignment import resolve_assignment
from process_apis.flows.opportunity_to_project.effects import (
    create_contract,
    propose_customer,
    provision_project,
    source_of,
    write_back,
)
from process_apis.flows.opportunity_to_project.failures import (
    blocked,
    changed_customer,
    describe_failure,
    only_observed,
    without_customer,
)
from process_apis.flows.opportunity_to_project.judging import DealReader
from process_apis.flows.opportunity_to_project.known_customer import CustomerReader, KnownCustomer
from process_apis.flows.opportunity_to_project.rereading import Deal, NewTerms, OnReplay, read_deal
from process_apis.flows.opportunity_to_project.rules import Terms
from process_apis.module import FlowDependencies
from process_apis.psa_clients import CLIENT_ID
from process_apis.settings import FlowSettings
from process_apis.systems import instance_of
from process_apis.workflow_service import ENDED_WITHOUT, RunEnded

NAME = "opportunity-to-project"
CUSTOMER_TOPIC = "customer"

_SHOWN: Mapping[WorkflowStatus, str] = {
    "running": "Show on the account that it is under way",
    "done": "Show on the account that it is done",
    "undone": "Show on the account that it was taken back",
}

NOT_SETTLED = "not yet"
"""What the step that asks for the customer says when it must ask again."""


class ActivationInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an activation's workflow begins with; `number` says which one of the deal's revision it is."""

    instance: str
    opportunity_id: str
    revision: int
    number: int = 1


class ActivationState(msgspec.Struct, frozen=True):
    """What an activation shows of itself."""

    opportunity_name: str = ""
    customer_request_id: str = ""
    customer_id: str = ""
    contract_id: str = ""
    project_id: str = ""
    refs: tuple[Ref, ...] = ()


class RecordedIds(msgspec.Struct, frozen=True):
    """Our ids of contract and project, with all references of the deal."""

    contract_id: str
    project_id: str
    refs: tuple[Ref, ...]


class SettledRequest(msgspec.Struct, frozen=True):
    """Customer master's request once it has come to a good end, nothing before; and where it stands."""

    request: CustomerRequest | None
    systems: SystemAssignment = {}


class OpportunityToProjectFlow(DurableFlow[FlowSettings]):
    """The durable workflow of one activation."""

    name, input, state = NAME, ActivationInput, ActivationState
    correctable = rules.Corrections

    def __init__(self, dependencies: FlowDependencies, settings: FlowSettings) -> None:
        super().__init__(dependencies, settings)
        self._reader = DealReader(self._systems, self._reference)
        self._customer_master = dependencies.client(CustomerMaster)
        policy = dependencies.settings_of("customer_master", CustomerMasterSection).policy
        ceilings = policy.approve_credit_limit_above
        self._customers = CustomerReader(self._systems, self._database, ceilings)

    async def run(self, run: Run) -> None:
        """From a won opportunity to a project whose ids stand in the CRM."""
        terms = await self._validate(run)
        won = RecordChanged(run.input.instance, "opportunity", terms.opportunity_id)
        await run.emit(OPPORTUNITY_WON, terms.opportunity_id, won, key="won")
        turn = 1
        while True:
            try:
                await self._activate(run, terms, turn)
            except NewTerms as new:
                await run.take_back()
                terms, turn = new.terms, turn + 1
                text = f"{terms.name} goes on with its new terms"
                await run.update_status("running", text, ActivationState(terms.name))
                await self._show(run, terms, "running")
            else:
                return

    async def _activate(self, run: Run, terms: Terms, turn: int) -> None:
        """Make everything of these terms; raises NewTerms where they change and a person accepts that."""
        deal = Deal(
            run,
            terms,
            read=lambda: self._reader.read(run),
            lost=lambda *now: self._lost(run, *now),
            number=run.input.number,
        )
        customer = await self._customer(run, deal)
        if not run.observing and await run.patched("check-customer"):
            customer = await self._check_customer(run, deal, customer)
        systems, source = self._systems_of(deal.terms), source_of(deal)
        contract = await self._effects.apply(
            run, source, create_contract(deal, systems, customer.refs, self._reference, self._systems.lacks)
        )
        customer, project = await self._project(run, deal, customer, contract, source)
        recorded = await self._record_ids(run, deal.terms, customer, contract, project)
        await self._publish(run, deal.terms, customer, recorded, project, turn)
        crm = self._systems.client(Crm, terms.instance)
        conditional = not self._systems.lacks(terms.instance, PRECONDITION)
        link = write_back(deal, crm, project, recorded.project_id, conditional=conditional)
        # One with a condition says itself for which stage it is: read again for a person only.
        source = replace(source, recheck=deal.on_replay) if conditional else source
        written = await self._effects.apply(run, source, link)
        if run.observing:
            await run.observed(deal.terms.name)
            return
        if written.stage != "won":
            await self._lost(run, deal.terms, written.stage_label or written.stage)
        await self._show(run, deal.terms, "done", recorded=recorded, contract=contract)
        await run.update_status("done", f"{deal.terms.name} is a project")

    # -- validate ---------------------------------------------------------------------------------------

    async def _validate(self, run: Run) -> Terms:
        terms = await run.step(
            "validate",
            "Check customer, terms, selling entity, tax and rate card",
            lambda: self._reader.judge(run),
            returns=Terms,
            detail=lambda terms: f"{terms.selling_entity} sells {terms.value.amount} {terms.value.currency}",
            explain=lambda problem: blocked(run.input.opportunity_id, problem),
            recheck=OnReplay(lambda: self._end_if_lost(run)),
        )
        await run.update_status(
            "running",
            f"{terms.name} is being activated",
            ActivationState(terms.name),
        )
        await self._show(run, terms, "running")
        return terms

    # -- a deal that changed meanwhile ------------------------------------------------------------------

    async def _end_if_lost(self, run: Run) -> None:
        """Before a deal is judged for the first time: a lost one will never have terms."""

        async def read() -> bool:
            return (await self._reader.opportunity(run)).stage == "lost"

        identity = run.input.opportunity_id
        if await run.step(
            "read-again",
            "Read the deal again",
            read,
            returns=bool,
            explain=lambda problem: blocked(identity, problem),
            corrects=rules.Corrections.__struct_fields__,
        ):
            await self._end(run, f"The opportunity {identity} was lost: nothing was made of it.")

    async def _lost(self, run: Run, terms: Terms, stage: str) -> NoReturn:
        """End the run of a deal that is no longer won: what was made is taken back, the customer stays.

        Raises NewTerms where the deal was won again meanwhile: no other run follows that event.
        """
        made = await run.take_back()
        if made and await run.patched("won-again"):
            reading = await read_deal(run, terms, lambda: self._reader.read(run))
            if reading.terms is not None:
                raise NewTerms(reading.terms)
            stage = reading.stage
        await self._show(run, terms, "undone")
        what = "what was made of it was taken back" if made else "nothing was made of it"
        await self._end(run, f"{terms.name} is no longer won (its stage is “{stage}”): {what}.")

    async def _end(self, run: Run, text: str) -> NoReturn:
        await run.update_status("undone", text)
        raise Undone(text)

    # -- customer ---------------------------------------------------------------------------------------

    async def _customer(self, run: Run, deal: Deal) -> CustomerRequest:
        """The settled request; the deal then has the systems in which the customer stands."""
        terms, waited = deal.terms, False
        request = await self._propose(run, deal)
        if run.observing:
            return request
        if request.status in ENDED_WITHOUT and await run.patched("ask-anew"):
            # It was rejected or taken back for an earlier deal: this one asks anew.
            request = await self._propose(run, deal, after=request.id)

        async def propose_again() -> None:
            nonlocal request
            await deal.read_again()
            # Customer master asks anew where it had ended, and restarts what it had only observed.
            again = await self._propose(run, deal, after=request.id)
            if again.id != request.id:
                request = again
                await self._show_request(run, deal, request)

        await self._show_request(run, deal, request)
        while True:
            settled = await run.step(
                "await-customer",
                "See whether the firm is a customer",
                lambda: self._settled(run, deal.terms, request.id),
                returns=SettledRequest,
                refs=lambda outcome: outcome.request.refs if outcome.request else (),
                detail=lambda outcome: outcome.request.status_text if outcome.request else NOT_SETTLED,
                explain=lambda problem: describe_failure(terms, problem),
                recheck=OnReplay(propose_again),
            )
            if settled.request is not None:
                deal.terms = msgspec.structs.replace(deal.terms, systems=settled.systems)
                # Finance thought, however quickly; a long wait without it makes the deal stale by itself.
                if waited and settled.request.decided_by and await run.patched("read-again"):
                    await deal.read_again()
                return settled.request
            waited = True
            await run.wait(
                CUSTOMER_TOPIC,
                RunEnded,
                title="Customer master answers",
                status_text=f"Waiting until {terms.account_name} is a customer",
                due_at=clock.now() + dt.timedelta(hours=self._settings.due_hours),
            )

    async def _check_customer(self, run: Run, deal: Deal, request: CustomerRequest) -> CustomerRequest:
        """The request with the customer's present references, once finance accepts what else changed."""
        while True:
            known = await run.step(
                "check-customer",
                "Read the customer in the ERP, and compare the account with what was approved",
                lambda: self._customers.read(deal.terms, request),
                returns=KnownCustomer,
                detail=lambda known: f"Changed: {', '.join(known.after)}" if known.after else "",
                explain=lambda problem: describe_failure(deal.terms, problem),
                recheck=deal.on_replay,
            )
            if not known.after:
                return msgspec.structs.replace(request, refs=known.refs)
            changed = changed_customer(deal.terms, known.before, known.after)
            await run.hand_over("changed-customer", "Finance accepts the customer as it is now", changed)
            await run.step(
                "accept-customer",
                "Note the customer as it was accepted",
                lambda: self._customers.accept(deal.terms),
                returns=bool,
            )
            await deal.read_again()

    async def _project(
        self, run: Run, deal: Deal, customer: CustomerRequest, contract: Contract, source: Source
    ) -> tuple[CustomerRequest, Project]:
        """The project, and the customer with the client that a person named where its own was deleted."""
        refs = customer.refs

        async def read_again() -> None:
            nonlocal refs
            await deal.read_again()
            if run.corrections.get(CLIENT_ID):
                known = await run.step(
                    "take-client",
                    "Take the client that was named as the customer's",
                    lambda: self._customers.take_client(deal.terms, refs, run.corrections[CLIENT_ID]),
                    returns=KnownCustomer,
                    explain=source.explain,
                    recheck=OnReplay(deal.read_again),
                )
                refs = known.refs

        source = replace(source, recheck=OnReplay(read_again, deal.stale))
        provision = provision_project(
            deal, self._systems_of(deal.terms), lambda: refs, self._reference, contract
        )
        project = await self._effects.apply(run, source, provision)
        return msgspec.structs.replace(customer, refs=refs), project

    async def _propose(self, run: Run, deal: Deal, after: str = "") -> CustomerRequest:
        proposal = propose_customer(run.id, deal, self._systems_of(deal.terms), after)
        return await self._effects.apply(run, source_of(deal), proposal)

    async def _show_request(self, run: Run, deal: Deal, request: CustomerRequest) -> None:
        await run.update_status(
            "running",
            f"{deal.terms.account_name} is with customer master",
            msgspec.structs.replace(run.state, customer_request_id=request.id),
        )

    async def _settled(self, run: Run, terms: Terms, request_id: str) -> SettledRequest:
        # Before the state is read: a request that is settled after the read is matched to us by it.
        await run.waits_for(request_id)
        request = await self._customer_master.get_request(request_id)
        if request.status == "observed":
            raise only_observed(terms)
        if request.status in ENDED_WITHOUT:
            raise without_customer(terms, request)
        if request.status != "done":
            return SettledRequest(None)
        # Nothing is made of the deal yet: it may still go to where its customer was settled meanwhile, and a
        # person who put the routing right may replay.
        now = self._systems.choose(terms.selling_entity)
        return SettledRequest(request, resolve_assignment(terms, request.refs, self._systems_of(terms), now))

    # -- the way back -----------------------------------------------------------------------------------

    async def _record_ids(
        self, run: Run, terms: Terms, customer: CustomerRequest, contract: Contract, project: Project
    ) -> RecordedIds:
        refs = (*customer.refs, *contract.refs, *project.refs)
        if run.observing:
            return RecordedIds("<our contract>", "<our project>", refs)

        async def link() -> RecordedIds:
            systems = self._systems_of(terms)
            async with self._database.begin() as connection:
                contract_id = await record_refs(
                    connection, "contract", "con", instance_of(Erp, systems), contract.id, contract.refs
                )
                project_id = await record_refs(
                    connection, "project", "prj", instance_of(Psa, systems), project.id, project.refs
                )
            instances = tuple(ref.instance for ref in refs)
            await run.belongs_to(Owner(customer=customer.customer_id, instances=instances))
            return RecordedIds(contract_id, project_id, refs)

        recorded = await run.step(
            "cross-refer", "Store the ids of all systems together", link, returns=RecordedIds
        )
        await run.update_status(
            "running",
            f"{terms.name} is provisioned",
            msgspec.structs.replace(
                run.state, customer_id=customer.customer_id, **msgspec.structs.asdict(recorded)
            ),
        )
        return recorded

    async def _publish(
        self,
        run: Run,
        terms: Terms,
        customer: CustomerRequest,
        recorded: RecordedIds,
        project: Project,
        turn: int,
    ) -> None:
        again = f"-{turn}" if turn > 1 else ""  # an event is published once per key
        contract_id, project_id = recorded.contract_id, recorded.project_id
        activated = ContractActivated(contract_id, customer.customer_id, terms.value, terms.revision)
        created = ProjectCreated(project_id, contract_id, customer.customer_id, terms.name)
        demand = StaffingDemandPublished(project_id, project.planned_roles)
        await run.emit(CONTRACT_ACTIVATED, contract_id, activated, key=f"contract-activated{again}")
        await run.emit(PROJECT_CREATED, project_id, created, key=f"project-created{again}")
        await run.emit(STAFFING_DEMAND_PUBLISHED, project_id, demand, key=f"staffing-demand{again}")

    # -- show -------------------------------------------------------------------------------

    async def _show(
        self,
        run: Run,
        terms: Terms,
        status: WorkflowStatus,
        recorded: RecordedIds | None = None,
        contract: Contract | None = None,
    ) -> None:
        updated = ActivationUpdated(
            activation_id=run.id,
            status=status,
            instance=terms.instance,
            opportunity_id=terms.opportunity_id,
            account_id=terms.account_id,
            account_name=terms.account_name,
            name=terms.name,
            selling_entity=terms.selling_entity,
            value=terms.value,
            customer_id=run.state.customer_id,
            contract_id=recorded.contract_id if recorded else "",
            project_id=recorded.project_id if recorded else "",
            start=terms.start,
            end=terms.end,
            billing_schedule=contract.billing_schedule if contract else (),
        )

        async def write() -> bool:
            await run.belongs_to(Owner(systems=self._systems_of(terms)))
            async with self._database.begin() as connection:
                await run.publish_in(connection, ACTIVATION_UPDATED, updated)
            return True

        await run.step(f"show-{status}", _SHOWN[status], write, returns=bool)
