"""Reads a deal and its account from the CRM, and judges them."""

import msgspec

from contracts.canonical.customer import Customer
from contracts.canonical.opportunity import Opportunity
from contracts.process.opportunity_to_project import ActivationBlocked
from contracts.system.crm import Crm
from kit import clock
from kit.workflows import Owner, Run
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.rereading import Reading
from process_apis.flows.opportunity_to_project.rules import Terms
from process_apis.reference import Reference
from process_apis.systems import Systems


class DealReader:
    """Reads the deal of a run as it is now, a person's corrections in place of the CRM's values."""

    def __init__(self, systems: Systems, reference: Reference) -> None:
        self._systems = systems
        self._reference = reference

    async def judge(self, run: Run) -> Terms:
        """The deal's terms; raises ActivationBlocked with every fault."""
        return await self._terms(run, await self.opportunity(run))

    async def read(self, run: Run) -> Reading:
        """The deal's stage, and its terms while it is won; raises ActivationBlocked."""
        opportunity = await self.opportunity(run)
        terms = await self._terms(run, opportunity) if opportunity.stage == "won" else None
        return Reading(opportunity.stage_label or opportunity.stage, terms)

    async def opportunity(self, run: Run) -> Opportunity:
        """The deal as the CRM has it."""
        crm = self._systems.client(Crm, run.input.instance)
        return await crm.get_opportunity(run.input.opportunity_id)

    async def _terms(self, run: Run, opportunity: Opportunity) -> Terms:
        instance, read_at = run.input.instance, clock.now()
        corrected = rules.correct(opportunity, self._spelled(instance, run.corrections))
        customer = await account_of(self._systems.client(Crm, instance), corrected)
        await run.belongs_to(Owner(rules.entity_of(corrected, self._reference)))
        terms = terms_or_blocked(instance, corrected, customer, self._reference, run.input.revision)
        systems = self._systems.choose(terms.selling_entity)
        return msgspec.structs.replace(terms, systems=systems, read_at=read_at)

    def _spelled(self, instance: str, corrections: dict[str, str]) -> dict[str, str]:
        """The corrections with the CRM's own spelling of the account's id."""
        account = corrections.get("customer_id")
        if not account:
            return corrections
        return {**corrections, "customer_id": self._systems.canonical_id(instance, "customer", account)}


async def account_of(crm: Crm, opportunity: Opportunity) -> Customer | None:
    """The opportunity's account, None when it names none."""
    return await crm.get_customer(opportunity.customer_id) if opportunity.customer_id else None


def terms_or_blocked(
    instance: str, opportunity: Opportunity, customer: Customer | None, reference: Reference, revision: int
) -> Terms:
    """The terms; raises ActivationBlocked with every fault."""
    verdict = rules.judge(instance, opportunity, customer, reference, revision)
    if verdict.terms is None:
        what = " ".join(fault.detail for fault in verdict.faults)
        raise ActivationBlocked(what, errors=verdict.faults, extra={"name": opportunity.name})
    return verdict.terms
