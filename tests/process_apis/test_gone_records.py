"""A record that was deleted, merged or restored in its system: what becomes of our object."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from contracts.canonical.customer import Customer
from contracts.canonical.values import Ref
from contracts.duties import Duties
from contracts.events.kinds import CUSTOMER_CHANGED, RECORD_UNREADABLE, RecordChanged
from contracts.problems import ContractViolation, NotFound, VendorUnavailable
from contracts.routing import Routing
from contracts.system.crm import Crm
from deploy.composition.assemble import OWNERSHIP
from kit import clock, crossrefs
from kit.audit.tables import audit
from kit.database import Database
from kit.database.tables import events, exceptions
from kit.inbox import InboxRow
from kit.ownership import Ownership
from process_apis import known_records
from process_apis.changes import Changes
from process_apis.current_policy import CurrentPolicy
from process_apis.systems import Systems
from tests.support.databases import keyed

LOSER, WINNER = "7", "8"


def account(ident: str, **fields: Any) -> Customer:
    refs = (Ref("crm-1", "customer", ident, f"https://crm.example/{ident}"),)
    return Customer(ident, "v1", clock.now(), "Globex Corporation", "approved", refs=refs, **fields)


class Vendor:
    """A CRM with two accounts of one firm, until people merge the first into the second."""

    def __init__(self) -> None:
        self.accounts = {LOSER: account(LOSER, industry="Energy"), WINNER: account(WINNER, industry="Energy")}
        self.away = False
        self.odd = False

    async def get_customer(self, customer_id: str) -> Customer:
        if self.away:
            raise VendorUnavailable("away", instance="crm-1")
        if self.odd:
            raise ContractViolation("off its schema: $.name", instance="crm-1")
        if customer_id not in self.accounts:
            raise NotFound(customer_id)
        return self.accounts[customer_id]

    def merge(self, **fields: Any) -> None:
        """With what the remaining account takes over."""
        del self.accounts[LOSER]
        self.accounts[WINNER] = msgspec.structs.replace(self.accounts[WINNER], **fields)


class World:
    """The judge of changes; the first account is our customer cus_1, whose state we know."""

    def __init__(self, database: Database) -> None:
        self.database, self.vendor, self.number = database, Vendor(), 0
        systems = Systems({("crm-1", Crm): self.vendor}, CurrentPolicy(Routing(()), Duties({}, ())))
        self.judge = Changes(Ownership.load(OWNERSHIP), systems)

    async def link(self, ours: str, vendor_id: str) -> None:
        async with self.database.begin() as connection:
            await crossrefs.link(
                connection, kind="customer", id=ours, instance="crm-1", object="customer", vendor_id=vendor_id
            )
            known = known_records.fingerprints(self.vendor.accounts[vendor_id])
            await known_records.remember(connection, "crm-1", "customer", vendor_id, known)

    async def take(self, vendor_id: str, **said: Any) -> None:
        self.number += 1
        data = msgspec.to_builtins(RecordChanged("crm-1", "customer", vendor_id, **said))
        row = InboxRow(
            self.number, "crm-1", str(self.number), CUSTOMER_CHANGED, "k", data, clock.now(), "cor_1"
        )
        async with self.database.begin() as connection:
            await self.judge.take(connection, row)

    async def take_unreadable(self, vendor_id: str) -> None:
        self.number += 1
        values = {"why": "Expected `str`, got `null` - at `$.title`"}
        data = msgspec.to_builtins(RecordChanged("crm-1", "customer", vendor_id, values=values))
        row = InboxRow(
            self.number, "crm-1", str(self.number), RECORD_UNREADABLE, "k", data, clock.now(), "cor_1"
        )
        async with self.database.begin() as connection:
            await self.judge.take_unreadable(connection, row)

    async def cases(self) -> list[tuple[str, str]]:
        """Subject and status of each case of an unreadable record."""
        query = select(exceptions).where(exceptions.c.flow == "unreadable-records")
        async with self.database.connect() as connection:
            rows = await connection.execute(query.order_by(exceptions.c.raised_at))
            return [(row.subject, row.status) for row in rows]

    async def merge(self) -> None:
        await self.take(LOSER, kind="merged", merged_into=WINNER)

    async def refs(self, ours: str) -> list[tuple[str, str]]:
        async with self.database.connect() as connection:
            return [(ref.id, ref.url) for ref in await crossrefs.refs(connection, ours)]

    async def published(self) -> list[dict[str, Any]]:
        async with self.database.connect() as connection:
            rows = await connection.execute(select(events).order_by(events.c.number))
            return [{"subject": row.subject, **row.data} for row in rows if row.type == CUSTOMER_CHANGED]

    async def raised(self) -> list[tuple[str, str, str]]:
        async with self.database.connect() as connection:
            rows = await connection.execute(select(exceptions).order_by(exceptions.c.raised_at))
            return [(row.kind, row.subject, row.stopped) for row in rows]

    async def audited(self) -> list[tuple[str, dict[str, Any]]]:
        async with self.database.connect() as connection:
            rows = await connection.execute(select(audit).where(audit.c.action == "record.merged"))
            return [(row.outcome, row.detail) for row in rows]


@pytest.fixture
async def world(fresh_database_url: str) -> AsyncIterator[World]:
    database = keyed(fresh_database_url)
    made = World(database)
    await made.link("cus_1", LOSER)
    yield made
    await database.close()


async def test_the_record_that_remains_stands_for_our_object(world: World) -> None:
    """Its cross-reference has the remaining record and its address; an event and the audit say so."""
    world.vendor.merge()
    await world.merge()
    assert await world.refs("cus_1") == [(WINNER, f"https://crm.example/{WINNER}")]
    (event,) = await world.published()
    said = (event["subject"], event["kind"], event["id"], event["merged_into"], event.get("fields", []))
    assert said == ("cus_1", "merged", LOSER, WINNER, [])
    assert await world.audited() == [("followed", {"record": LOSER, "into": WINNER, "stands_for": "cus_1"})]
    assert await world.raised() == []


async def test_what_the_remaining_record_has_otherwise_is_judged(world: World) -> None:
    """It is compared with what we knew of the merged one: the CRM's field goes on, the ERP's to a person."""
    world.vendor.merge(industry="Water")
    await world.merge()
    (event,) = await world.published()
    assert event["fields"] == ["industry"]
    world.vendor.accounts[WINNER] = msgspec.structs.replace(
        world.vendor.accounts[WINNER], legal_name="Globex Ltd"
    )
    await world.take(WINNER)
    ((kind, subject, stopped),) = await world.raised()
    assert (kind, subject) == ("ownership_violation", "cus_1")
    assert stopped == "A change of legal name of the customer 8 in crm-1 was not taken over."


async def test_two_objects_of_ours_in_one_record_are_a_persons_case(world: World) -> None:
    """A record stands for one object: nothing is moved or published, and a person decides which remains."""
    await world.link("cus_2", WINNER)
    world.vendor.merge()
    await world.merge()
    ((kind, subject, stopped),) = await world.raised()
    assert (kind, subject) == ("duplicate_candidate", "cus_1")
    assert "7 was merged into 8, which stands for cus_2" in stopped
    assert [ident for ident, _ in await world.refs("cus_1") + await world.refs("cus_2")] == [LOSER, WINNER]
    assert await world.published() == []
    assert [outcome for outcome, _ in await world.audited()] == ["exception"]


async def test_a_merger_is_followed_once(world: World) -> None:
    """Stream and poll may both report it, and a late change of the merged record is a stranger's."""
    world.vendor.merge()
    await world.merge()
    await world.merge()
    await world.take(LOSER, fields=("industry",))
    assert len(await world.published()) == len(await world.audited()) == 1


async def test_a_merger_while_the_vendor_is_away_is_followed_later(world: World) -> None:
    """The remaining record is read before anything moves."""
    world.vendor.merge()
    world.vendor.away = True
    with pytest.raises(VendorUnavailable):
        await world.merge()
    assert [ident for ident, _ in await world.refs("cus_1")] == [LOSER]
    world.vendor.away = False
    await world.merge()
    assert [ident for ident, _ in await world.refs("cus_1")] == [WINNER]


async def test_a_record_that_remains_but_is_gone_by_now(world: World) -> None:
    """A record into which ours was merged and that was deleted since: its deletion is judged as such."""
    world.vendor.accounts.clear()
    await world.merge()
    assert [stopped for _, _, stopped in await world.raised()] == ["The customer 7 was deleted in crm-1."]
    assert await world.published() == []


async def test_a_restored_record_is_compared_with_what_it_was(world: World) -> None:
    """Whoever saw it go is told that it is back, also where nothing of it differs."""
    await world.take(LOSER, kind="deleted")
    await world.take(LOSER, kind="restored")
    world.vendor.accounts[LOSER] = msgspec.structs.replace(world.vendor.accounts[LOSER], industry="Water")
    await world.take(LOSER, kind="restored")
    assert [(event["kind"], event.get("fields", [])) for event in await world.published()] == [
        ("restored", []),
        ("restored", ["industry"]),
    ]
    assert [stopped for _, _, stopped in await world.raised()] == ["The customer 7 was deleted in crm-1."]


async def test_an_unreadable_record_has_one_case_until_it_reads_well(world: World) -> None:
    """Once, however often it is reported; a change that reads well ends it, and the next fault is new."""
    subject = f"crm-1:customer:{LOSER}"
    world.vendor.odd = True
    for _ in range(2):
        await world.take_unreadable(LOSER)
        await world.take(LOSER)
    assert await world.cases() == [(subject, "open")]
    world.vendor.odd = False
    await world.take(LOSER)
    assert await world.cases() == [(subject, "skipped")]
    world.vendor.odd = True
    await world.take(LOSER)
    assert await world.cases() == [(subject, "skipped"), (subject, "open")]
    del world.vendor.accounts[LOSER]
    world.vendor.odd = False
    await world.take(LOSER, kind="deleted")
    assert [status for _, status in await world.cases()] == ["skipped", "skipped"]


async def test_a_strangers_unreadable_record_has_its_case_too(world: World) -> None:
    """A list leaves it out, so somebody has to know, whether it is ours or not."""
    await world.take_unreadable("99")
    assert await world.cases() == [("crm-1:customer:99", "open")]
