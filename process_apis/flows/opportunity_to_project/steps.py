"""Opportunity to project, step by step: validate, customer, contract, project, and back to the CRM."""

import datetime as dt
from typing import Any, Literal, NoReturn

import msgspec

from contracts.canonical.contract import Contract
from contracts.canonical.project import Project
from contracts.canonical.reference import DeliveryTemplate, RateCard
from contracts.canonical.values import Ref
from contracts.canonical.workflow import Mode
from contracts.events.kinds import (
    CONTRACT_ACTIVATED,
    OPPORTUNITY_WON,
    PROJECT_CREATED,
    STAFFING_DEMAND_PUBLISHED,
    ContractActivated,
    CustomerSettled,
    ProjectCreated,
    RecordChanged,
    StaffingDemandPublished,
)
from contracts.problems import Conflict
from contracts.process.customer_master import CustomerMaster, CustomerProposal, CustomerRequest
from contracts.routing import SystemAssignment
from kit import clock, context
from kit.database import Database
from kit.ownership import Ownership
from kit.workflows import Run, Undone
from process_apis import read_models
from process_apis.cross_references import record_refs
from process_apis.failures import found_or_none, written
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.assignment import resolve_assignment, vendor_id
from process_apis.flows.opportunity_to_project.effects import Effect, apply
from process_apis.flows.opportunity_to_project.failures import blocked, describe_failure, only_observed
from process_apis.flows.opportunity_to_project.judging import DealReader
from process_apis.flows.opportunity_to_project.observing import would_send
from process_apis.flows.opportunity_to_project.rereading import Deal, NewTerms, OnReplay
from process_apis.flows.opportunity_to_project.rules import Terms
from process_apis.flows.opportunity_to_project.writing_back import RecordedIds, write_back
from process_apis.read_models import ProjectSummary
from process_apis.reference import Reference
from process_apis.settings import FlowSettings
from process_apis.systems import Systems

NAME = "opportunity-to-project"
CUSTOMER_TOPIC = "customer"
# What the draft of a project calls otherwise than the project itself, whose fields the ownership file names.
PSA_NAMES = {"client_id": "customer_id", "contract_number": "contract_id", "staffing": "planned_roles"}


class ActivationInput(msgspec.Struct, frozen=True):
    """What an activation's workflow begins with."""

    instance: str
    opportunity_id: str
    revision: int
    mode: Mode


class Settled(msgspec.Struct, frozen=True):
    """Customer master's request once it has come to a good end, nothing before; and where it stands."""

    request: CustomerRequest | None
    systems: SystemAssignment = SystemAssignment()


class OpportunityToProjectFlow:
    """The durable workflow of one activation."""

    name = NAME
    input = ActivationInput

    def __init__(
        self,
        *,
        systems: Systems,
        customer_master: CustomerMaster,
        reference: Reference,
        database: Database,
        ownership: Ownership,
        settings: FlowSettings,
    ) -> None:
        self._systems = systems
        self._reader = DealReader(systems, reference)
        self._ownership = ownership
        self._customer_master = customer_master
        self._reference = reference
        self._database = database
        self._settings = settings
        self.on_failure: Literal["park", "undo"] = settings.on_failure

    async def run(self, run: Run) -> None:
        """From a won opportunity to a project whose ids stand in the CRM."""
        terms = await self._validate(run)
        if run.observing:
            await self._observe(run, terms)
            return
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
                await run.update_status("running", text, opportunity_name=terms.name, systems=terms.systems)
                await self._show(run, terms, "running")
            else:
                return

    async def _activate(self, run: Run, terms: Terms, turn: int) -> None:
        """Make everything of these terms; raises NewTerms where they change and a person accepts that."""
        deal = Deal(run, terms, read=lambda: self._reader.read(run), lost=lambda *now: self._lost(run, *now))
        customer = await self._customer(run, deal)
        contract = await self._contract(run, deal, customer)
        project = await self._project(run, deal, customer, contract)
        recorded = await self._record_ids(run, deal.terms, customer, contract, project)
        await self._publish(run, deal.terms, customer, recorded, project, turn)
        written = await write_back(run, self._systems, self._ownership, deal, recorded, project)
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
            opportunity_name=terms.name,
            systems=terms.systems,
        )
        await self._show(run, terms, "running")
        return terms

    # -- a deal that changed meanwhile ------------------------------------------------------------------

    async def _end_if_lost(self, run: Run) -> None:
        """Before a deal is judged for the first time: one that is lost by now will never have terms."""

        async def read() -> bool:
            return (await self._reader.opportunity(run)).stage == "lost"

        identity = run.input.opportunity_id
        if await run.step(
            "read-again",
            "Read the deal again",
            read,
            returns=bool,
            explain=lambda problem: blocked(identity, problem),
        ):
            await self._end(run, f"The opportunity {identity} was lost: nothing was made of it.")

    async def _lost(self, run: Run, terms: Terms, stage: str) -> NoReturn:
        """End the run of a deal that is no longer won: what was made is taken back, the customer stays."""
        made = await run.take_back()
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
        request = await run.step(
            "propose-customer",
            "Hand the customer to customer master",
            lambda: self._propose(run, deal.terms),
            returns=CustomerRequest,
            explain=lambda problem: describe_failure(terms, problem),
            recheck=deal,
        )
        # Told before the state is read again: whoever settles the request after the reading finds us by it.
        await run.update_status(
            "running", f"{terms.account_name} is with customer master", customer_request_id=request.id
        )
        while True:
            settled = await run.step(
                "await-customer",
                "Customer master settles the customer",
                lambda: self._settled(run, deal.terms, request.id),
                returns=Settled,
                refs=lambda found: found.request.refs if found.request else (),
                detail=lambda found: found.request.status_text if found.request else "not settled yet",
                explain=lambda problem: describe_failure(terms, problem),
                recheck=deal.on_replay,
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
                CustomerSettled,
                title="Customer master settles the customer",
                status_text=f"Waiting until {terms.account_name} is approved as a customer",
                due_at=clock.now() + dt.timedelta(hours=self._settings.due_hours),
            )

    async def _propose(self, run: Run, terms: Terms) -> CustomerRequest:
        proposal = CustomerProposal(
            instance=terms.instance,
            account_id=terms.account_id,
            selling_entity=terms.selling_entity,
            currency=terms.value.currency,
            payment_terms=terms.payment_terms,
        )
        here = context.current()
        key = f"{run.id}-customer"[:128].replace(".", "-")
        with context.use(msgspec.structs.replace(here, idempotency_key=key)):
            return await self._customer_master.propose_customer(proposal)

    async def _settled(self, run: Run, terms: Terms, request_id: str) -> Settled:
        request = await self._customer_master.get_request(request_id)
        if request.status == "observed":
            # Begun anew where customer master is live by now.
            request = await self._propose(run, terms)
        if request.status == "observed":
            raise only_observed(terms)
        if request.status == "failed":
            raise Conflict(request.status_text)
        if request.status != "done":
            return Settled(None)
        # Nothing is made of the deal yet: it may still go to where its customer was settled meanwhile, and a
        # person who put the routing right may replay.
        now = self._systems.choose(terms.selling_entity)
        return Settled(request, resolve_assignment(terms, request.refs, self._systems_of(terms), now))

    def _systems_of(self, terms: Terms) -> SystemAssignment:
        return self._systems.pinned_or_current(terms.systems, terms.selling_entity)

    # -- contract and project ---------------------------------------------------------------------------

    async def _contract(self, run: Run, deal: Deal, customer: CustomerRequest) -> Contract:
        terms = deal.terms
        instance = self._systems_of(terms).erp
        key = rules.key_of("con", terms.instance, terms.opportunity_id, terms.revision)

        async def create() -> Contract:
            customer_id = vendor_id(terms, customer.refs, instance, "customer")
            draft = rules.contract_draft(deal.terms, customer_id, self._template(deal.terms))
            self._ownership.demand("contract", "draft", "enfilade", written(draft))
            return await self._systems.erp(instance).put_contract(key, draft)

        return await apply(
            run,
            self._database,
            deal,
            Effect(
                name="create-contract",
                title="Create the contract with its billing schedule in the ERP",
                undo_title="Close the contract in the ERP",
                target=f"{instance}:contract",
                key=key,
                returns=Contract,
                create=create,
                find=lambda: found_or_none(self._systems.erp(instance).get_contract_by_key(key)),
                undo=lambda: self._systems.erp(instance).close_contract(key),
                detail=lambda contract: f"{contract.number}, {len(contract.billing_schedule)} billing dates",
            ),
        )

    async def _project(self, run: Run, deal: Deal, customer: CustomerRequest, contract: Contract) -> Project:
        terms = deal.terms
        instance = self._systems_of(terms).psa
        key = rules.key_of("prj", terms.instance, terms.opportunity_id, terms.revision)
        number = contract.number or contract.id

        async def create() -> Project:
            client_id = vendor_id(terms, customer.refs, instance, "client")
            now = deal.terms
            draft = rules.project_draft(now, number, client_id, self._template(now), self._rate_card(now))
            self._ownership.demand("project", "planned", "enfilade", written(draft, PSA_NAMES))
            return await self._systems.psa(instance).put_project(key, draft)

        return await apply(
            run,
            self._database,
            deal,
            Effect(
                name="provision-project",
                title="Provision the project with its structure, roles and staffing demand in the PSA",
                undo_title="Cancel and archive the project in the PSA",
                target=f"{instance}:project",
                key=key,
                returns=Project,
                create=create,
                find=lambda: found_or_none(self._systems.psa(instance).get_project_by_key(key)),
                undo=lambda: self._systems.psa(instance).cancel_project(key),
                detail=lambda project: (
                    f"{len(project.tasks)} tasks, {len(project.planned_roles)} planned roles"
                ),
                found_is_complete=False,
            ),
        )

    # -- the way back -----------------------------------------------------------------------------------

    async def _record_ids(
        self, run: Run, terms: Terms, customer: CustomerRequest, contract: Contract, project: Project
    ) -> RecordedIds:
        async def keep() -> RecordedIds:
            systems = self._systems_of(terms)
            async with self._database.begin() as connection:
                contract_id = await record_refs(
                    connection, "contract", "con", systems.erp, contract.id, contract.refs
                )
                project_id = await record_refs(
                    connection, "project", "prj", systems.psa, project.id, project.refs
                )
            return RecordedIds(contract_id, project_id, (*customer.refs, *contract.refs, *project.refs))

        recorded = await run.step(
            "cross-refer", "Keep the ids of all systems together", keep, returns=RecordedIds
        )
        await run.update_status(
            "running",
            f"{terms.name} is provisioned",
            customer_id=customer.customer_id,
            contract_id=recorded.contract_id,
            project_id=recorded.project_id,
            refs=recorded.refs,
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
        again = f"-{turn}" if turn > 1 else ""  # an event is told once per key
        contract_id, project_id = recorded.contract_id, recorded.project_id
        activated = ContractActivated(contract_id, customer.customer_id, terms.value, terms.revision)
        created = ProjectCreated(project_id, contract_id, customer.customer_id, terms.name)
        demand = StaffingDemandPublished(project_id, project.planned_roles)
        await run.emit(CONTRACT_ACTIVATED, contract_id, activated, key=f"contract-activated{again}")
        await run.emit(PROJECT_CREATED, project_id, created, key=f"project-created{again}")
        await run.emit(STAFFING_DEMAND_PUBLISHED, project_id, demand, key=f"staffing-demand{again}")

    # -- observe and show -------------------------------------------------------------------------------

    async def _observe(self, run: Run, terms: Terms) -> None:
        """Work out exactly what live mode would send, and send nothing."""
        found = would_send(terms, self._systems_of(terms), self._template(terms), self._rate_card(terms))
        for one in found:
            await run.would_send(
                one.step, instance=one.instance, operation=one.operation, key=one.key, body=one.body
            )
        text = f"{terms.name} was observed: {len(found)} requests worked out, none sent"
        await run.update_status("observed", text)

    async def _show(
        self,
        run: Run,
        terms: Terms,
        status: read_models.WorkflowStatus,
        recorded: RecordedIds | None = None,
        contract: Contract | None = None,
    ) -> None:
        async def write() -> bool:
            async with self._database.begin() as connection:
                await read_models.put_account(
                    connection, terms.instance, terms.account_id, terms.account_name
                )
                await read_models.put_project_summary(
                    connection,
                    activation_id=run.id,
                    instance=terms.instance,
                    account_id=terms.account_id,
                    opportunity_id=terms.opportunity_id,
                    status=status,
                    summary=ProjectSummary(
                        opportunity_name=terms.name,
                        selling_entity=terms.selling_entity,
                        value=terms.value,
                        contract_id=recorded.contract_id if recorded else "",
                        project_id=recorded.project_id if recorded else "",
                        start=terms.start,
                        end=terms.end,
                        billing_schedule=contract.billing_schedule if contract else (),
                    ),
                )
            return True

        await run.step(f"show-{status}", "Show it on the account", write, returns=bool)

    def _template(self, terms: Terms) -> DeliveryTemplate:
        return self._reference.templates[terms.template]

    def _rate_card(self, terms: Terms) -> RateCard:
        return self._reference.rate_cards[terms.rate_card]


def refs_of(data: dict[str, Any]) -> tuple[Ref, ...]:
    """The references that a run has told."""
    return msgspec.convert(data.get("refs", ()), tuple[Ref, ...])
