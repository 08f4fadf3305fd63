"""Customer master, step by step: look for the same firm, ask finance, create, cross-refer."""

from functools import partial

import msgspec

from contracts.canonical.customer import Customer, faults_of
from contracts.canonical.exception import OPERATIONS
from contracts.canonical.matching import candidates
from contracts.canonical.project import Client
from contracts.canonical.values import ref_to
from contracts.events.kinds import CUSTOMER_APPROVED, CustomerApproved
from contracts.problems import Invalid, NotFound, Problem
from contracts.process.customer_master import CustomerDecision
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit import clock, crossrefs
from kit.effects import Source
from kit.workflows import ExceptionDraft, Owner, Run
from process_apis.account_comparison import AccountFacts, Proposed
from process_apis.approved_customers import accept
from process_apis.cross_references import record_refs
from process_apis.deciding import Decided
from process_apis.durable_flow import DurableFlow
from process_apis.erp_customers import customer_named, same_firms
from process_apis.failures import SALES, owner_of, stop_of
from process_apis.flows.customer_master import rules
from process_apis.flows.customer_master.effects import create_client, create_customer
from process_apis.flows.customer_master.settings import CustomerMasterSettings
from process_apis.flows.customer_master.state import NAME, CustomerCase, ProposalInput, RequestState
from process_apis.module import FlowDependencies
from process_apis.psa_clients import CLIENT_ID, ExistingClient, PsaClients
from process_apis.systems import instance_of
from process_apis.ways_on import CORRECT_ACCOUNT, CORRECT_SETTINGS

MERGE_WITH = "merge_with"
_GONE = "Restore the account in the CRM, or let our user see it, then press Activate on a deal of it."


class CustomerMasterFlow(DurableFlow[CustomerMasterSettings]):
    """The durable workflow of one proposal."""

    name, input, state = NAME, ProposalInput, RequestState

    def __init__(self, dependencies: FlowDependencies, settings: CustomerMasterSettings) -> None:
        super().__init__(dependencies, settings)
        self._clients = PsaClients(self._systems, self._database)

    async def run(self, run: Run) -> None:
        """From proposal to cross-referenced customer, or to a refusal by finance."""
        look_again = partial(self._looked, run, "look-again")
        case = CustomerCase(run, "finance", await self._looked(run, "look"), look_again)
        await case.settle(
            show=lambda: self._show(run, case),
            ask=lambda: self._ask_finance(run, case),
            make=lambda: self._make(run, case),
        )

    async def _show(self, run: Run, case: CustomerCase) -> None:
        account = case.facts.account
        state = RequestState(
            **msgspec.structs.asdict(case.question),
            legal_name=account.legal_name,
            credit_limit=account.credit_limit,
            candidates=case.facts.candidates,
        )
        await run.update_status("running", f"{account.legal_name} is being checked", state)

    async def _looked(self, run: Run, name: str) -> Proposed:
        return await run.step(
            name,
            "Read the account and look for the same firm in the ERP",
            lambda: self._look(run.input),
            returns=Proposed,
            detail=lambda proposed: proposed.account.legal_name,
            explain=lambda problem: _stop(run.input, run.state.legal_name, problem),
        )

    async def _look(self, proposal: ProposalInput) -> Proposed:
        looked_at, entity = clock.now(), proposal.selling_entity
        account = await self._systems.client(Crm, proposal.instance).get_customer(proposal.account_id)
        if faults := faults_of(account):
            raise Invalid(faults[0].detail, errors=faults)
        erp = instance_of(Erp, self._systems_of(proposal))
        ours = self._systems.stored_key(erp, proposal.key)
        others = await same_firms(self._systems.client(Erp, erp), account, but=ours)
        matches = candidates(account, erp, others)
        reasons = rules.why_ask_finance(account, matches, self._settings.policy, entity)
        if proposal.ended:
            reasons = (f"It was asked for before: {proposal.ended}.", *reasons)
        return Proposed(account, matches, reasons, looked_at, entity)

    async def _ask_finance(self, run: Run, case: CustomerCase) -> Decided[CustomerDecision] | None:
        """What finance decided; None where it rejected the customer."""
        name = case.facts.account.legal_name
        decided = await case.ask(
            CustomerDecision,
            about=name,
            title="Finance decides on the customer",
            hours=self._settings.policy.approve_within_hours,
        )
        run.corrections.pop(MERGE_WITH, None)  # it was of an earlier decision
        if decided.decision.decision != "reject":
            return decided
        comment = f": {decided.decision.comment}" if decided.decision.comment else ""
        await run.update_status("failed", f"Finance rejected {name}{comment}")
        return None

    async def _make(self, run: Run, case: CustomerCase) -> None:
        """Make the customer as it was approved; raises OtherFacts where the facts have changed."""
        proposal: ProposalInput = run.input
        source = _source(proposal, case)
        customer = await self._customer(run, case, source)
        client = await self._client(run, case, source, customer)
        account = case.facts.account
        if run.observing:
            reasons = " ".join(case.question.reasons)
            await run.observed(
                account.legal_name, f"Finance would be asked first: {reasons}" if reasons else ""
            )
            return
        recorded = await run.step(
            "cross-refer",
            "Store the customer with its ids in all systems",
            lambda: self._record_customer(run, account, customer, client),
            returns=Customer,
            refs=lambda recorded: recorded.refs,
        )
        names = (recorded.id, recorded.legal_name, proposal.selling_entity)
        whose = (proposal.instance, proposal.account_id, account.legal_name)
        approved = CustomerApproved(*names, *whose, customer=recorded)
        await run.emit(CUSTOMER_APPROVED, recorded.id, approved, key="approved", deliver=True)
        state = msgspec.structs.replace(run.state, customer_id=recorded.id, refs=recorded.refs)
        await run.update_status("done", f"{recorded.legal_name} is a customer", state)

    async def _client(self, run: Run, case: CustomerCase, source: Source, customer: Customer) -> Client:
        """The client in the PSA: one that it has, or one that is made."""
        systems = self._systems_of(run.input)
        if await run.patched("look-for-client"):
            known = await run.step(
                "look-for-client",
                "Look for the same firm in the PSA",
                lambda: self._clients.find(systems, case.facts.account, customer.id, run.corrections),
                returns=ExistingClient,
                detail=lambda known: f"Takes {known.client.name}, which it has" if known.client else "None",
                explain=source.explain,
                recheck=case,
                corrects=(CLIENT_ID,),
            )
            if known.client is not None:
                return known.client
        return await self._effects.apply(run, source, create_client(run.input, systems, case))

    async def _customer(self, run: Run, case: CustomerCase, source: Source) -> Customer:
        """The customer, created or, if finance said so, one that the ERP has."""
        decided = case.decided
        if decided is None or decided.decision.decision != "merge":
            made = create_customer(run.input, self._systems_of(run.input), case)
            return await self._effects.apply(run, source, made)
        chosen = decided.decision.merge_with
        systems, entity = self._systems_of(run.input), run.input.selling_entity
        return await run.step(
            "merge",
            "Take the existing ERP customer",
            lambda: customer_named(self._systems, systems, entity, run.corrections.get(MERGE_WITH) or chosen),
            returns=Customer,
            refs=lambda recorded: recorded.refs,
            explain=lambda problem: (
                _no_such_customer(problem) if isinstance(problem, NotFound) else source.explain(problem)
            ),
            recheck=case,
            corrects=(MERGE_WITH,),
        )

    async def _record_customer(
        self, run: Run, account: Customer, customer: Customer, client: Client
    ) -> Customer:
        """The customer under our id, with its references in all systems."""
        proposal: ProposalInput = run.input
        systems = self._systems_of(proposal)
        erp, psa = instance_of(Erp, systems), instance_of(Psa, systems)
        known = (
            ref_to(erp, "customer", customer.id, customer.refs),
            ref_to(psa, "client", client.id, client.refs),
            ref_to(proposal.instance, "customer", proposal.account_id, account.refs),
        )
        async with self._database.begin() as connection:
            ours = await record_refs(connection, "customer", "cus", erp, customer.id, known)
            refs = await crossrefs.refs(connection, ours)
            facts = AccountFacts.of(account)
            await accept(connection, proposal.instance, proposal.account_id, proposal.selling_entity, facts)
        await run.belongs_to(Owner(customer=ours, instances=tuple(ref.instance for ref in refs)))
        entity = customer.selling_entity or proposal.selling_entity  # as whose it was made
        return msgspec.structs.replace(
            customer,
            id=ours,
            status="approved",
            selling_entity=entity,
            refs=refs,
            updated_at=clock.now(),
        )


def _source(proposal: ProposalInput, case: CustomerCase) -> Source:
    """The account as that from which customer and client follow."""
    return Source(
        record=f"{proposal.instance}:account:{proposal.account_id}",
        revision=1,
        explain=lambda problem: _stop(proposal, case.facts.account.legal_name, problem),
        recheck=case,
    )


def _stop(proposal: ProposalInput, legal_name: str, problem: Problem) -> ExceptionDraft:
    """The exception of a request that stopped: a fault of the account itself is for sales."""
    name = legal_name or f"account {proposal.account_id}"
    of_account = isinstance(problem, Invalid) or problem.instance == proposal.instance
    by_sales = of_account and not problem.retryable and "owner" not in problem.extra
    owner = SALES if by_sales else owner_of(problem, proposal.instance, proposal.systems)
    stopped = f"The customer {name} could not be set up for {proposal.selling_entity}."
    return stop_of(problem, stopped, owner=owner, what_next=_next(problem, owner))


def _next(problem: Problem, owner: str) -> str:
    if problem.retryable:
        return "Replay when the other system answers again, or undo."
    if owner == SALES:
        return _GONE if isinstance(problem, NotFound) else CORRECT_ACCOUNT
    if owner == OPERATIONS:
        return CORRECT_SETTINGS
    return (
        "Correct the account in the CRM, or what stands against it in the other system, then replay: "
        "the account is read and judged again. Or undo."
    )


def _no_such_customer(problem: Problem) -> ExceptionDraft:
    """The exception of a merge with a customer that the ERP does not have any more."""
    return stop_of(
        problem,
        "The ERP does not have the customer that finance chose to merge with.",
        owner="finance",
        what_next=f"Replay with the right ERP customer as the correction {MERGE_WITH}; or undo, and a new "
        "request asks finance again.",
        kind="mapping_conflict",
    )
