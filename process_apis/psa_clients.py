"""Clients of a PSA: which one is a customer's, or what a person says of a doubtful one."""

from collections.abc import Mapping

import msgspec

from contracts.canonical import matching
from contracts.canonical.customer import Customer
from contracts.canonical.project import Client, firm_of
from contracts.canonical.values import Ref
from contracts.problems import Conflict, NotFound
from contracts.routing import SystemAssignment
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit import clock, crossrefs
from kit.database import Database
from process_apis.systems import Systems, instance_of

CLIENT_ID, ANOTHER = "client_id", "new"
"""The correction by which a person names the client, and its value for none of those that there are."""


class ExistingClient(msgspec.Struct, frozen=True):
    """The customer's client as the PSA has it; None where it is to be made."""

    client: Client | None = None


class PsaClients:
    """The clients of all PSAs, with our cross-references of them."""

    def __init__(self, systems: Systems, database: Database) -> None:
        self._systems = systems
        self._database = database

    async def find(
        self, assigned: SystemAssignment, account: Customer, customer_id: str, corrections: Mapping[str, str]
    ) -> ExistingClient:
        """The client of the ERP customer, whatever its account; else one that surely is the account's firm.

        Raises Conflict where several may be it, or one only perhaps: delivery then says which.
        """
        erp, psa = instance_of(Erp, assigned), instance_of(Psa, assigned)
        async with self._database.connect() as connection:
            ours = await crossrefs.resolve(connection, erp, "customer", customer_id)
            refs = await crossrefs.refs(connection, ours) if ours else ()
        for ref in refs:
            if (ref.instance, ref.object) == (psa, "client"):
                name = account.trading_name or account.legal_name
                return ExistingClient(Client(ref.id, "", clock.now(), name, refs=(ref,)))
        alike = await self._alike(psa, account)
        return ExistingClient(self._chosen(psa, account, alike, corrections.get(CLIENT_ID, "")))

    async def take(self, psa: str, former: str, given: str) -> tuple[Ref, ...]:
        """Link a client's customer to another client from now on; raises Conflict for another customer's."""
        now = self._systems.canonical_id(psa, "client", given)
        async with self._database.begin() as connection:
            ours = await crossrefs.resolve(connection, psa, "client", former)
            if ours != await crossrefs.follow(
                connection, instance=psa, object="client", vendor_id=former, into=now
            ):
                raise _doubtful(
                    f"{now} is another customer's client in {psa}.",
                    f"Replay with another client as the correction {CLIENT_ID}; or undo.",
                )
            return await crossrefs.refs(connection, ours) if ours else ()

    async def _alike(self, psa: str, account: Customer) -> list[Client]:
        """Clients that may be the firm, but none of another customer: made under a key, or linked."""
        api = self._systems.client(Psa, psa)
        clients: dict[str, Client] = {}
        for name, _, domain in matching.questions(account):
            if name or domain:
                page = await api.find_clients(name, domain)
                clients |= {client.id: client for client in page.items if not client.key}
        async with self._database.connect() as connection:
            return [
                client
                for client in clients.values()
                if await crossrefs.resolve(connection, psa, "client", client.id) is None
            ]

    def _chosen(self, psa: str, account: Customer, alike: list[Client], wanted: str) -> Client | None:
        """What a person chose of them, else the only one that is sure; raises Conflict."""
        if wanted == ANOTHER or not alike:
            return None
        if wanted:
            spelled = self._spelled(psa, wanted)
            for client in alike:
                if client.id == spelled:
                    return client
        elif len(alike) == 1 and is_surely(account, alike[0]):
            return alike[0]
        named = "; ".join(f"{client.name} ({client.id})" for client in alike)
        none = f" {wanted} is none of these." if wanted else ""
        raise _doubtful(
            f"{psa} has what may be the client of {account.legal_name}: {named}.{none}",
            f"Replay with the correction {CLIENT_ID}: the id of the client to take, or “{ANOTHER}” for a "
            "client of its own.",
            kind="duplicate_candidate",
        )

    def _spelled(self, psa: str, given: str) -> str:
        try:
            return self._systems.canonical_id(psa, "client", given)
        except NotFound:
            return given  # no client has it


def is_surely(account: Customer, client: Client) -> bool:
    """Whether a client surely is the account's firm: it has its name, and no other internet domain."""
    firm = firm_of(client)
    ours, theirs = set(matching.domains(account)), set(matching.domains(firm))
    return "name" in matching.likeness(account, firm) and not (ours and theirs and ours.isdisjoint(theirs))


def _doubtful(why: str, what_next: str, **more: str) -> Conflict:
    return Conflict(why, extra={"owner": "delivery", "what_next": what_next, **more})
