"""tests/process_apis: what happens to deals, customers and exceptions, as the flows' events tell it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec

from contracts.canonical.customer import Customer
from contracts.canonical.values import Money, Ref
from contracts.canonical.workflow import WorkflowStatus
from contracts.duties import Duties
from contracts.events.kinds import ACTIVATION_UPDATED, CUSTOMER_APPROVED, ActivationUpdated, CustomerApproved
from kit import clock, exceptions
from kit.database import Database
from kit.database.tables import runs
from kit.inbox import InboxRow, publish
from kit.workflows import Runtime
from kit.workflows.journal import Journal


class Activation:
    """The journal of an activation, which publishes what the flow's would."""

    def __init__(self, database: Database, deal: str) -> None:
        self.id, self.deal, self.position = f"act_{deal}", deal, 0
        self._database = database
        self._journal = Journal(database, self.id, "opportunity-to-project", "cor_1", deal)

    async def begin(self) -> None:
        row = dict.fromkeys(("id", "engine_id", "fingerprint"), self.id)
        row |= {"flow": "opportunity-to-project", "status": "running", "correlation_id": "cor_1"}
        begun = runs.insert().values(**row, instances=["crm-1"], entity="NB-UK", started_at=clock.now())
        async with self._database.begin() as connection:
            await self._journal.announce(
                connection, 0, (await connection.execute(begun.returning(runs))).one()
            )

    async def show(self, amount: int, **more: Any) -> None:
        value = Money(Decimal(amount), "GBP")
        updated = ActivationUpdated(
            self.id, "running", "crm-1", self.deal, "acc-1", self.deal, value, "Acme", "NB-UK", **more
        )
        self.position += 1
        async with self._database.begin() as connection:
            await self._journal.publish_in(connection, f"{self.position}_in", ACTIVATION_UPDATED, updated)

    async def become(self, *statuses: Any) -> None:
        for status in statuses:
            self.position += 1
            await self._journal.update_status(self.position, status=status, text=status)

    async def stop(self) -> str:
        """Raise an exception; its id."""
        async with self._database.begin() as connection:
            return await exceptions.raise_exception(
                connection,
                kind="vendor_rejected",
                flow="opportunity-to-project",
                subject=self.deal,
                stopped="It stopped.",
                why="A field is missing.",
                what_next="Give it.",
                owner="finance",
                correlation_id="cor_1",
                workflow_id=self.id,
            )


async def resolve(database: Database, exception_id: str) -> None:
    """Let a person skip an exception."""
    runtime = Runtime(database, application="tests", version="1", executor="x", worker=False)
    async with database.begin() as connection:
        await exceptions.resolve(
            connection,
            runtime,
            exception_id,
            if_match=None,
            action="skip",
            reason="as agreed",
            corrections={},
            by="ann",
            duties=Duties({}, ()),
        )
    await runtime.close()


async def approve(database: Database, account_id: str, customer_id: str, name: str) -> None:
    """Let an account become a customer."""
    ref = Ref("crm-1", "customer", account_id)
    now = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)
    customer = Customer(customer_id, "1", now, name, "approved", selling_entity="NB-UK", refs=(ref,))
    approved = CustomerApproved(customer_id, name, "NB-UK", "crm-1", account_id, name, customer)
    async with database.begin() as connection:
        await publish(
            connection,
            type=CUSTOMER_APPROVED,
            subject=customer_id,
            key=customer_id,
            data=approved,
            correlation_id="cor_1",
            deliver=True,
        )


def renamings() -> list[InboxRow]:
    """How one account was named and which customer it became, oldest first."""
    updated = ActivationUpdated(
        "act_1", "running", "crm-1", "deal", "acc-1", "Deal", Money(Decimal(1), "GBP"), "Acme", "NB-UK"
    )
    unnamed = msgspec.structs.replace(updated, account_name="")
    first = CustomerApproved("cus_1", "Acme", "NB-UK", "crm-1", "acc-1", "Acme Ltd")
    second = CustomerApproved("cus_2", "Acme", "NB-UK", "crm-1", "acc-1", "Acme Limited")
    changes: list[tuple[str, Any]] = [
        (ACTIVATION_UPDATED, updated),
        (CUSTOMER_APPROVED, first),
        (CUSTOMER_APPROVED, second),
        (ACTIVATION_UPDATED, unnamed),
    ]
    noon = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    return [
        InboxRow(
            number,
            "tests",
            f"evt_{number}",
            kind,
            "acc-1",
            msgspec.to_builtins(data),
            noon + dt.timedelta(minutes=number),
            "cor_1",
        )
        for number, (kind, data) in enumerate(changes)
    ]


def two_activations() -> tuple[list[InboxRow], list[InboxRow]]:
    """What is told of a deal's first activation, which was undone, and of its second, oldest first each."""
    noon = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)

    def told(run: str, amount: int, *statuses: WorkflowStatus) -> list[InboxRow]:
        value = Money(Decimal(amount), "GBP")
        return [
            InboxRow(
                number,
                "tests",
                f"evt_{run}_{number}",
                ACTIVATION_UPDATED,
                run,
                msgspec.to_builtins(
                    ActivationUpdated(run, status, "crm-1", "deal", "acc-1", "Deal", value, "Acme", "NB-UK")
                ),
                noon + dt.timedelta(minutes=number),
                "cor_1",
            )
            for number, status in enumerate(statuses)
        ]

    return told("act_deal", 1000, "running", "undone"), told("act_deal:2", 900, "running", "done")


async def happen(database: Database) -> None:
    """Four deals of one account with every kind of end and turn, its customer, and two exceptions."""
    done, parked, undone, early = (
        Activation(database, name) for name in ("done", "parked", "undone", "early")
    )
    for activation in (done, parked, undone, early):
        await activation.begin()
    await early.become("parked")  # before its terms were known
    for activation in (done, parked, undone):
        await activation.show(1000)
    await parked.become("parked")
    await parked.stop()
    await done.become("parked", "running", "waiting", "running")
    await approve(database, "acc-1", "cus_1", "Acme Ltd")
    await undone.become("parked", "running", "undone")
    await resolve(database, await undone.stop())
    await done.show(900, customer_id="cus_1", project_id="prj_1", start=dt.date(2027, 1, 11))
    await done.become("done")
    await approve(database, "acc-1", "cus_1", "Acme Limited")
    await approve(database, "acc-2", "cus_2", "Bolt Ltd")
    await early.become("running")
    await early.show(50)
