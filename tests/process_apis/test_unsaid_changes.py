"""A change whose vendor does not say what changed is found out and judged like any other."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from contracts.canonical.customer import Customer
from contracts.duties import Duties
from contracts.events.kinds import CUSTOMER_CHANGED, RecordChanged
from contracts.problems import NotFound, VendorUnavailable
from contracts.routing import Routing
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from deploy.composition.assemble import OWNERSHIP
from kit import crossrefs, ledger
from kit.database import Database
from kit.database.tables import events, exceptions
from kit.inbox import InboxRow
from kit.ownership import Ownership
from process_apis.changes import Changes
from process_apis.current_policy import CurrentPolicy
from process_apis.systems import Systems
from tests.support.databases import keyed

SAVED = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)
GLOBEX = Customer(
    "7", "v1", SAVED, "Globex Corporation", "approved", industry="Energy", email="ap@globex.example"
)


class Account:
    """A vendor's account with one customer, which people change; None when it is gone."""

    def __init__(self) -> None:
        self.customer: Customer | None = GLOBEX
        self.away = False
        self.reads = 0

    async def get_customer(self, customer_id: str) -> Customer:
        self.reads += 1
        if self.away:
            raise VendorUnavailable("away", instance="crm-1")
        if self.customer is None or customer_id != self.customer.id:
            raise NotFound(customer_id)
        return self.customer

    def change(self, **fields: Any) -> None:
        assert self.customer is not None
        self.customer = msgspec.structs.replace(self.customer, version="v2", **fields)


class World:
    """The judge of changes, with a CRM and an ERP that both have the customer that is ours as cus_1."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.crm, self.erp = Account(), Account()
        clients = {("crm-1", Crm): self.crm, ("erp-1", Erp): self.erp}
        systems = Systems(clients, CurrentPolicy(Routing(()), Duties({}, ())))
        self.judge = Changes(Ownership.load(OWNERSHIP), systems)
        self.number = 0

    async def take(self, instance: str, **fields: Any) -> None:
        self.number += 1
        change = RecordChanged(instance, "customer", "7", changed_at=fields.pop("at", SAVED), **fields)
        row = InboxRow(
            self.number,
            instance,
            str(self.number),
            CUSTOMER_CHANGED,
            "k",
            msgspec.to_builtins(change),
            SAVED,
            "cor_1",
        )
        async with self.database.begin() as connection:
            await self.judge.take(connection, row)

    async def published(self) -> list[list[str]]:
        async with self.database.connect() as connection:
            told = select(events.c.data).where(events.c.type == CUSTOMER_CHANGED)
            rows = await connection.execute(told.order_by(events.c.number))
            return [row.data.get("fields", []) for row in rows]

    async def raised(self) -> list[str]:
        async with self.database.connect() as connection:
            rows = await connection.execute(select(exceptions.c.stopped).order_by(exceptions.c.raised_at))
            return [row.stopped for row in rows]


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    database = keyed(fresh_database_url)
    async with database.begin() as connection:
        for instance in ("crm-1", "erp-1"):
            await crossrefs.link(
                connection, kind="customer", id="cus_1", instance=instance, object="customer", vendor_id="7"
            )
    yield World(database)
    await database.close()


async def test_a_field_of_another_system_is_found_and_stopped(world: World) -> None:
    """Compared with what we knew: the CRM's new legal name goes to a person, its industry on."""
    await world.take("crm-1", fields=("industry",))
    world.crm.change(legal_name="Globex Ltd")
    await world.take("crm-1")
    world.crm.change(industry="Water")
    await world.take("crm-1")
    assert await world.published() == [["industry"], ["industry"]]
    (stopped,) = await world.raised()
    assert stopped == "A change of legal name of the customer 7 in crm-1 was not taken over."


async def test_what_we_wrote_is_what_we_know(world: World) -> None:
    """The first change of a record that we made is compared with what the vendor answered us then."""

    async def do() -> Customer:
        return GLOBEX

    async def find() -> None:
        return None

    await ledger.once(
        world.database,
        source="crm-1:account:9",
        revision=1,
        target="erp-1:customer:NB-US",
        key="enf-1",
        do=do,
        find=find,
        returns=Customer,
        wait_out=0,
    )
    world.erp.change(legal_name="Globex Ltd", industry="Energy")
    await world.take("erp-1")
    await world.take("erp-1")
    assert await world.published() == [["legal_name"]], "and nothing for a save that changed nothing"
    assert await world.raised() == []


async def test_where_nothing_is_known_nothing_passes_unjudged(world: World) -> None:
    """A record never seen may have changed anywhere: a person looks, if any of it is another system's."""
    await world.take("crm-1", at=dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    assert await world.raised() == [], "that was before it became ours"
    world.crm.change(email="x@globex.example")
    await world.take("crm-1")
    assert await world.published() == []
    assert len(await world.raised()) == 1


async def test_a_record_never_seen_before(world: World) -> None:
    """Whatever changed of a record of which we know nothing, it is told that it may be another's field."""
    await world.take("crm-1")
    assert await world.published() == []
    (stopped,) = await world.raised()
    assert "without saying what" in stopped
    assert "legal name" in stopped


async def test_a_deleted_record(world: World) -> None:
    """Gone from a system that may not end it: a case for a person; from one that may: an event."""
    world.crm.customer = None
    await world.take("crm-1")
    world.erp.customer = None
    await world.take("erp-1", kind="deleted")
    assert await world.published() == [[]]
    assert await world.raised() == ["The customer 7 was deleted in crm-1."]


async def test_a_vendor_that_is_away(world: World) -> None:
    """What cannot be read is judged later; what says its fields is judged now; an echo is never read."""
    world.crm.away = True
    with pytest.raises(VendorUnavailable):
        await world.take("crm-1")
    await world.take("crm-1", fields=("industry",))
    reads = world.crm.reads
    await world.take("crm-1", by_us=True)
    assert world.crm.reads == reads
    assert await world.published() == [["industry"]]
