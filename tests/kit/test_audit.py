"""tests/kit: the audit trail."""

import asyncio

import pytest
from sqlalchemy import text

from kit import audit
from kit.database import Database


async def note(database: Database, subject: str) -> None:
    async with database.begin() as connection:
        await audit.write(
            connection,
            actor="ann",
            consumer="crm-screen",
            action="customer.approved",
            subject=subject,
            outcome="allowed",
            detail={"n": 1, "why": "é"},
            correlation_id="cor_1",
        )


async def faults(database: Database) -> list[str]:
    async with database.connect() as connection:
        return await audit.verify(connection)


async def change(database: Database, statement: str) -> None:
    async with database.begin() as connection:
        await connection.execute(text(statement))


async def test_writers_at_once_never_wait_and_the_trail_holds(database: Database) -> None:
    """Lines written by many transactions at once are all there, and the trail verifies."""
    await asyncio.gather(*(note(database, f"cus_{n}") for n in range(30)))
    assert await faults(database) == []
    async with database.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM enfilade.audit"))).scalar() == 30


async def test_two_open_transactions_write_side_by_side(database: Database) -> None:
    """A transaction that has written a line does not keep another from writing one."""
    async with database.begin() as first, database.begin() as second:
        for connection in (first, second, first):
            await audit.write(connection, action="a", outcome="allowed")
    assert await faults(database) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE enfilade.audit SET outcome = 'denied' WHERE seq = 2",
        "UPDATE enfilade.audit SET at = at + interval '1 second' WHERE seq = 2",
        "DELETE FROM enfilade.audit WHERE seq = 2",
        "DELETE FROM enfilade.audit WHERE seq = 3",
    ],
)
async def test_any_tampering_shows(database: Database, tampering: str) -> None:
    """A line that was altered, taken out of the middle or cut off the end is found."""
    for n in range(3):
        await note(database, f"cus_{n}")
    assert await faults(database) == []
    await change(database, tampering)
    assert await faults(database) != []


async def test_refusals_come_in_batches(database: Database) -> None:
    """A door's gathered refusals are one write and verify like any other line."""
    async with database.begin() as connection:
        await audit.denials(connection, [audit.Entry("read", "denied", consumer=f"c{n}") for n in range(5)])
        await audit.denials(connection, [])
    assert await faults(database) == []
