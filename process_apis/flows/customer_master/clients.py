"""Customer master: which client of the PSA is the customer's, or what a person says of a doubtful one."""

import msgspec

from contracts.canonical import matching
from contracts.canonical.customer import Customer
from contracts.canonical.project import Client
from contracts.canonical.values import Ref
from contracts.problems import Conflict, NotFound
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from kit import clock, crossrefs
from kit.database import Database
from kit.workflows import Run
from process_apis.flows.customer_master.rules import is_surely
from process_apis.flows.customer_master.state import ProposalInput
from process_apis.systems import Systems, instance_of

CLIENT_ID, ANOTHER = "client_id", "new"
"""The correction by which a person names the client, and its value for none of those that there are."""


class ExistingClient(msgspec.Struct, frozen=True):
    """The customer's client as the PSA has it; None where it is to be made."""

    client: Client | None = None


async def find_client(
    run: Run, systems: Systems, database: Database, account: Customer, customer: Customer
) -> ExistingClient:
    """The client of the ERP customer, whatever its account; else one that surely is the account's firm.

    Raises Conflict where several may be it, or one only perhaps: delivery then says which.
    """
    proposal: ProposalInput = run.input
    assigned = systems.pinned_or_current(proposal.systems, proposal.selling_entity)
    erp, psa = instance_of(Erp, assigned), instance_of(Psa, assigned)
    async with database.connect() as connection:
        ours = await crossrefs.resolve(connection, erp, "customer", customer.id)
        refs = await crossrefs.refs(connection, ours) if ours else ()
    linked = next((ref for ref in refs if (ref.instance, ref.object) == (psa, "client")), None)
    if linked is not None:
        return ExistingClient(_of(linked, account))
    alike = await _alike(systems.client(Psa, psa), database, psa, account)
    return ExistingClient(_chosen(run, systems, psa, account, alike))


async def _alike(api: Psa, database: Database, psa: str, account: Customer) -> list[Client]:
    """Clients that may be the firm, but those that are another customer's: made under a key, or linked."""
    clients: dict[str, Client] = {}
    for name, _, domain in matching.questions(account):
        if name or domain:
            found = await api.find_clients(name, domain)
            clients |= {client.id: client for client in found.items if not client.key}
    async with database.connect() as connection:
        return [
            client
            for client in clients.values()
            if await crossrefs.resolve(connection, psa, "client", client.id) is None
        ]


def _chosen(run: Run, systems: Systems, psa: str, account: Customer, alike: list[Client]) -> Client | None:
    """What a person chose of them, else the only one that is sure; raises Conflict."""
    wanted = run.corrections.get(CLIENT_ID, "")
    if wanted == ANOTHER or not alike:
        return None
    if wanted:
        wanted = _spelled(systems, psa, wanted)
        for client in alike:
            if client.id == wanted:
                return client
    elif len(alike) == 1 and is_surely(account, alike[0]):
        return alike[0]
    named = "; ".join(f"{client.name} ({client.id})" for client in alike)
    raise Conflict(
        f"{psa} has what may be the client of {account.legal_name}: {named}.",
        extra={
            "owner": "delivery",
            "kind": "duplicate_candidate",
            "what_next": (
                f"Replay with the correction {CLIENT_ID}: the id of the client to take, or “{ANOTHER}” for a "
                "client of its own."
            ),
        },
    )


def _spelled(systems: Systems, psa: str, given: str) -> str:
    try:
        return systems.canonical_id(psa, "client", given)
    except NotFound:
        return given  # no client has it


def _of(ref: Ref, account: Customer) -> Client:
    """The client of a cross-reference, for whom no call is made."""
    return Client(ref.id, "", clock.now(), account.trading_name or account.legal_name, refs=(ref,))
