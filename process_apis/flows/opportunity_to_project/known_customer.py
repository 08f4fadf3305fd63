"""Opportunity to project: whether a known customer still is what was decided on."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from contracts.canonical.values import Ref
from contracts.problems import Conflict, NotFound
from contracts.process.customer_master import CustomerRequest
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit import crossrefs
from kit.database import Database
from process_apis.account_comparison import AccountFacts, changes
from process_apis.approved_customers import accept, accepted
from process_apis.flows.opportunity_to_project.assignment import vendor_id
from process_apis.flows.opportunity_to_project.rules import Terms
from process_apis.psa_clients import PsaClients
from process_apis.systems import Systems, instance_of


class KnownCustomer(msgspec.Struct, frozen=True):
    """The customer's references as they are now, and what changed of its account since it was decided on."""

    refs: tuple[Ref, ...]
    before: dict[str, str] = {}
    after: dict[str, str] = {}


class CustomerReader:
    """Reads the customer of a deal from the ERP, in one operation, and compares its account."""

    def __init__(self, systems: Systems, database: Database, ceilings: Mapping[str, Decimal]) -> None:
        self._systems = systems
        self._database = database
        self._ceilings = ceilings
        self._clients = PsaClients(systems, database)

    async def read(self, terms: Terms, request: CustomerRequest) -> KnownCustomer:
        """Raises Conflict for one that the ERP has blocked, or has no more."""
        async with self._database.connect() as connection:
            # Newer than the request's: a merged customer hands its reference to the one that remains.
            refs = await crossrefs.refs(connection, request.customer_id) or request.refs
            before = await accepted(connection, *_whose(terms))
        await self._demand_open(terms, refs)
        now = facts_of(terms)
        if before is None:  # settled by an earlier release
            await self.accept(terms)
            return KnownCustomer(refs)
        return KnownCustomer(refs, *changes(before, now, self._ceilings))

    async def take_client(self, terms: Terms, refs: tuple[Ref, ...], given: str) -> KnownCustomer:
        """Link the customer to another client from now on; raises Conflict for another customer's."""
        psa = instance_of(Psa, terms.systems)
        former = vendor_id(terms, refs, psa, "client")
        return KnownCustomer(await self._clients.take(psa, former, given) or refs)

    async def accept(self, terms: Terms) -> bool:
        """The account as it is now is what later deals are compared with."""
        async with self._database.begin() as connection:
            await accept(connection, *_whose(terms), facts_of(terms))
        return True

    async def _demand_open(self, terms: Terms, refs: tuple[Ref, ...]) -> None:
        erp = instance_of(Erp, terms.systems)
        ident = vendor_id(terms, refs, erp, "customer")
        try:
            customer = await self._systems.client(Erp, erp).get_customer(ident)
        except NotFound:
            raise _closed(
                f"{erp} has no customer {ident} any more, which {terms.account_name} was.",
                "Restore it in the ERP, or let our user see it there, then replay; or undo.",
            ) from None
        if customer.status == "blocked":
            raise _closed(
                f"{customer.legal_name} is blocked or inactive as a customer in {erp}.",
                "Release the customer in the ERP if we may sell to it, then replay; or undo.",
            )


def facts_of(terms: Terms) -> AccountFacts:
    """Those of the account with which the deal was judged."""
    return AccountFacts(terms.country, terms.credit_limit)


def _whose(terms: Terms) -> tuple[str, str, str]:
    return terms.instance, terms.account_id, terms.selling_entity


def _closed(why: str, what_next: str) -> Conflict:
    return Conflict(why, extra={"owner": "finance", "what_next": what_next})
