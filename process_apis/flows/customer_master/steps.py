"""Customer master, step by step: look for the same firm, ask finance, create, cross-refer."""

import datetime as dt
from typing import Literal

import msgspec

from contracts.canonical.customer import Customer
from contracts.canonical.exception import kind_of
from contracts.canonical.project import Client
from contracts.canonical.values import Money, Ref
from contracts.events.kinds import CUSTOMER_APPROVED, CUSTOMER_SETTLED, CustomerApproved, CustomerSettled
from contracts.problems import Invalid, NotFound, Problem
from contracts.process.customer_master import CustomerProposal, DuplicateCandidate
from contracts.routing import SystemAssignment
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit import clock, crossrefs, inbox
from kit.database import Database
from kit.effects import Effects, Source
from kit.workflows import ExceptionDraft, Owner, Run
from process_apis import read_models
from process_apis.cross_references import record_refs
from process_apis.flows.customer_master import rules
from process_apis.flows.customer_master.deciding import Case, Decided, OtherFacts, Proposed
from process_apis.flows.customer_master.effects import create_client, create_customer
from process_apis.flows.customer_master.settings import CustomerMasterSettings
from process_apis.systems import Systems, instance_of

NAME = "customer-master"
DECISION_TOPIC = "decision"


class ProposalInput(CustomerProposal, frozen=True, omit_defaults=True):
    """What a proposal's workflow begins with: the proposal, and the systems that its run keeps."""

    systems: SystemAssignment = msgspec.field(default_factory=dict)


class RequestState(msgspec.Struct, frozen=True):
    """What a request shows of itself; `asked` numbers the question that finance is asked."""

    legal_name: str = ""
    credit_limit: Money | None = None
    candidates: tuple[DuplicateCandidate, ...] = ()
    reasons: tuple[str, ...] = ()
    asked: str = "1.1"
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    customer_id: str = ""
    refs: tuple[Ref, ...] = ()


class CustomerMasterFlow:
    """The durable workflow of one proposal."""

    name = NAME
    input = ProposalInput
    state = RequestState

    def __init__(
        self,
        systems: Systems,
        database: Database,
        effects: Effects,
        settings: CustomerMasterSettings,
    ) -> None:
        self._systems = systems
        self._effects = effects
        self._database = database
        self._settings = settings
        self.on_failure: Literal["park", "undo"] = settings.on_failure

    async def run(self, run: Run) -> None:
        """From proposal to cross-referenced customer, or to a refusal by finance."""
        case = Case(run, await self._looked(run, "look"), lambda: self._looked(run, "look-again"))
        await self._show(run, case)
        await self._settle(run, case)
        await self._wake(run)

    async def _settle(self, run: Run, case: Case) -> None:
        while True:
            try:
                if await self._may_be_made(run, case):
                    await self._make(run, case)
            except OtherFacts as other:
                case.begin_again(other.found)
                await self._show(run, case)
            else:
                return

    async def _make(self, run: Run, case: Case) -> None:
        """Make the customer as it was approved; raises OtherFacts where it is another by now."""
        proposal: ProposalInput = run.input
        customer = await self._customer(run, case)
        source = self._source(run, case)
        client = await self._effects.apply(
            run, source, create_client(proposal, self._systems_of(proposal), case)
        )
        if run.observing:
            asked = f"Finance would be asked first: {' '.join(case.reasons)}" if case.reasons else ""
            await run.observed(case.proposed.account.legal_name, asked)
            return
        kept = await run.step(
            "cross-refer",
            "Keep the customer with its ids in all systems",
            lambda: self._record_customer(run, case.proposed.account, customer, client),
            returns=Customer,
            refs=lambda kept: kept.refs,
        )
        approved = CustomerApproved(kept.id, kept.legal_name, proposal.selling_entity)
        await run.emit(CUSTOMER_APPROVED, kept.id, approved, key="approved")
        await run.update_status(
            "done",
            f"{kept.legal_name} is a customer",
            msgspec.structs.replace(run.state, customer_id=kept.id, refs=kept.refs),
        )

    async def _show(self, run: Run, case: Case) -> None:
        account = case.proposed.account
        await run.update_status(
            "running",
            f"{account.legal_name} is being checked",
            RequestState(
                legal_name=account.legal_name,
                credit_limit=account.credit_limit,
                candidates=case.proposed.candidates,
                reasons=case.reasons,
                asked=case.asked,
                before=case.before,
                after=case.after,
            ),
        )

    async def _looked(self, run: Run, name: str) -> Proposed:
        proposal: ProposalInput = run.input
        return await run.step(
            name,
            "Read the account and look for the same firm in the ERP",
            lambda: self._look(proposal),
            returns=Proposed,
            detail=lambda found: found.account.legal_name,
            explain=lambda problem: self._stop(proposal, "", problem),
        )

    async def _wake(self, run: Run) -> None:
        """Whoever waits for the request is told that it may be read again."""

        async def notify() -> bool:
            return await inbox.receive(
                self._database,
                source=NAME,
                id=f"{run.id}:settled" if run.attempt == 1 else f"{run.id}:settled:{run.attempt}",
                type=CUSTOMER_SETTLED,
                key=run.id,
                data=CustomerSettled(run.id),
                occurred_at=clock.now(),
                correlation_id=run.correlation_id,
            )

        await run.step("wake", "Wake whoever waits for the customer", notify, returns=bool)

    def _systems_of(self, proposal: ProposalInput) -> SystemAssignment:
        return self._systems.pinned_or_current(proposal.systems, proposal.selling_entity)

    async def _look(self, proposal: ProposalInput) -> Proposed:
        crm = self._systems.client(Crm, proposal.instance)
        looked_at = clock.now()
        account = await crm.get_customer(proposal.account_id)
        if faults := rules.account_faults(account):
            raise Invalid(faults[0].detail, errors=faults)
        instance = instance_of(Erp, self._systems_of(proposal))
        found = await self._alike(instance, account)
        own = rules.key_of(proposal.instance, proposal.account_id, proposal.selling_entity)
        others = [(instance, c) for c in found if not any(ref.id == own for ref in c.refs)]
        candidates = rules.candidates(account, others)
        reasons = rules.why_ask_finance(account, candidates, self._settings.policy, proposal.selling_entity)
        return Proposed(account, candidates, reasons, looked_at)

    async def _alike(self, instance: str, account: Customer) -> list[Customer]:
        """ERP customers that may be the account's firm: by all that it is known by, each once."""
        erp, found = self._systems.client(Erp, instance), dict[str, Customer]()
        for name, number, domain in rules.questions(account):
            for customer in (await erp.find_customers(name, number, domain)).items:
                found.setdefault(customer.id, customer)
        return list(found.values())

    async def _may_be_made(self, run: Run, case: Case) -> bool:
        """Whether finance agreed to the account as it is now, or need not be asked; False: it rejected it."""
        while not run.observing and case.reasons and case.decided is None:
            decided = await self._ask_finance(run, case)
            name = case.proposed.account.legal_name
            if decided.decision.decision == "reject":
                comment = f": {decided.decision.comment}" if decided.decision.comment else ""
                await run.update_status("failed", f"Finance rejected {name}{comment}")
                return False
            case.decided = decided
            if await run.patched("look-again"):
                found = await case.look_again()
                if case.changes(found)[0]:
                    raise OtherFacts(found)
                case.proposed = found
        return True

    async def _ask_finance(self, run: Run, case: Case) -> Decided:
        name = case.proposed.account.legal_name
        return await run.wait(
            DECISION_TOPIC,
            Decided,
            title="Finance decides on the customer",
            status_text=f"Waiting for finance: {' '.join(case.reasons)} ({name})",
            due_at=clock.now() + dt.timedelta(hours=self._settings.policy.approve_within_hours),
        )

    async def _customer(self, run: Run, case: Case) -> Customer:
        decided, source = case.decided, self._source(run, case)
        if decided is None or decided.decision.decision != "merge":
            systems = self._systems_of(run.input)
            return await self._effects.apply(run, source, create_customer(run.input, systems, case))
        existing = decided.decision.merge_with
        return await run.step(
            "merge",
            "Take the existing ERP customer",
            lambda: self._merge(run, existing),
            returns=Customer,
            refs=lambda customer: customer.refs,
            explain=source.explain,
            recheck=case,
        )

    def _source(self, run: Run, case: Case) -> Source:
        """The account as that from which customer and client follow."""
        proposal: ProposalInput = run.input
        return Source(
            record=f"{proposal.instance}:account:{proposal.account_id}",
            revision=1,
            explain=lambda problem: self._stop(proposal, case.proposed.account.legal_name, problem),
            recheck=case,
        )

    async def _merge(self, run: Run, existing: str) -> Customer:
        proposal: ProposalInput = run.input
        instance = instance_of(Erp, self._systems_of(proposal))
        wanted = self._systems.canonical_id(
            instance, "customer", run.corrections.get("merge_with") or existing
        )
        return await _of_entity(self._systems.client(Erp, instance), wanted, proposal.selling_entity)

    async def _record_customer(
        self, run: Run, account: Customer, customer: Customer, client: Client
    ) -> Customer:
        proposal: ProposalInput = run.input
        systems = self._systems_of(proposal)
        erp, psa = instance_of(Erp, systems), instance_of(Psa, systems)
        known = (
            Ref(erp, "customer", customer.id, url_of(customer.refs, customer.id)),
            Ref(psa, "client", client.id, url_of(client.refs, client.id)),
            Ref(
                proposal.instance, "customer", proposal.account_id, url_of(account.refs, proposal.account_id)
            ),
        )
        async with self._database.begin() as connection:
            ours = await record_refs(connection, "customer", "cus", erp, customer.id, known)
            refs = await crossrefs.refs(connection, ours)
            kept = msgspec.structs.replace(
                customer, id=ours, status="approved", refs=refs, updated_at=clock.now()
            )
            await read_models.upsert_customer(connection, kept)
            await read_models.put_account(
                connection, proposal.instance, proposal.account_id, account.legal_name
            )
            await read_models.set_account_customer(connection, proposal.instance, proposal.account_id, ours)
        await run.belongs_to(Owner(customer=ours, instances=tuple(ref.instance for ref in refs)))
        return kept

    def _stop(self, proposal: CustomerProposal, legal_name: str, problem: Problem) -> ExceptionDraft:
        name = legal_name or f"account {proposal.account_id}"
        return ExceptionDraft(
            kind=kind_of(problem),
            stopped=f"The customer {name} could not be set up for {proposal.selling_entity}.",
            why=problem.detail,
            what_next="Correct the account in the CRM or the setting in the ERP, then replay.",
            owner="finance",
            errors=problem.errors,
        )


async def _of_entity(erp: Erp, customer_id: str, entity: str) -> Customer:
    """The ERP customer, if it is the legal entity's; raises NotFound, alike for another's and for none."""
    missing = NotFound(f"No ERP customer of {entity} has the id {customer_id}.")
    try:
        found = await erp.get_customer(customer_id)
    except NotFound:
        raise missing from None
    if found.selling_entity not in (entity, ""):
        raise missing
    return found


def url_of(refs: tuple[Ref, ...], vendor_id: str) -> str:
    """Where a person finds the record in its system."""
    return next((ref.url for ref in refs if ref.id == vendor_id), "")
