"""tests/kit: the audit trail."""

import asyncio
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from kit import audit, clock
from kit.audit.chain import hash_of
from kit.audit.tables import audit as trail
from kit.audit.tables import audit_anchors, audit_heads, refusals
from kit.database import Database

APPENDED = (
    "INSERT INTO enfilade.audit (chain, seq, action, outcome, previous, hash)"
    " SELECT chain, seq + 1, 'a', 'b', hash, hash FROM enfilade.audit_heads"
)


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


async def faults(database: Database) -> tuple[str, ...]:
    return (await audit.check(database)).faults


async def change(database: Database, statement: str) -> None:
    async with database.begin() as connection:
        await connection.execute(text(statement))


async def test_writers_at_once_never_wait_and_the_trail_holds(database: Database) -> None:
    """Lines written by many transactions at once are all there, and the trail verifies."""
    await asyncio.gather(*(note(database, f"cus_{n}") for n in range(30)))
    assert await faults(database) == ()
    async with database.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM enfilade.audit"))).scalar() == 30


async def test_two_open_transactions_write_side_by_side(database: Database) -> None:
    """A transaction that has written a line does not keep another from writing one."""
    async with database.begin() as first, database.begin() as second:
        for connection in (first, second, first):
            await audit.write(connection, action="a", outcome="allowed")
    assert await faults(database) == ()


async def written(database: Database, count: int = 3) -> None:
    for n in range(count):
        await note(database, f"cus_{n}")


async def anchored(database: Database, publish_to: str = "") -> audit.Anchor:
    """Three lines under an anchor, and three more after it."""
    await written(database)
    made = await audit.anchor(database, publish_to)
    assert made is not None
    await written(database)
    return made


async def rewrite(database: Database, subject: str) -> None:
    """What somebody with all rights on the tables does: another second line, and every hash after it anew."""
    async with database.begin() as connection:
        rows = (await connection.execute(select(trail).order_by(trail.c.seq))).all()
        previous = audit.GENESIS
        for row in rows:
            values: dict[str, Any] = {**row._asdict(), "previous": previous}
            values["subject"] = subject if row.seq == 2 else row.subject
            values["hash"] = previous = hash_of(values)
            await connection.execute(update(trail).where(trail.c.seq == row.seq).values(values))
        await connection.execute(update(audit_heads).values(hash=previous))


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE enfilade.audit SET outcome = 'denied' WHERE seq = 2",
        "UPDATE enfilade.audit SET at = at + interval '1 second' WHERE seq = 2",
        "DELETE FROM enfilade.audit WHERE seq = 2",
        "DELETE FROM enfilade.audit WHERE seq = 3",
        "DELETE FROM enfilade.audit",
        "UPDATE enfilade.audit SET seq = -seq; UPDATE enfilade.audit SET seq = seq + 4",
        "UPDATE enfilade.audit_heads SET seal = ''; SELECT 1",
        APPENDED,
    ],
)
async def test_any_tampering_shows(database: Database, tampering: str) -> None:
    """A line that was altered, taken out of the middle or cut off the end is found."""
    await written(database)
    await audit.anchor(database)
    assert await faults(database) == ()
    for statement in tampering.split("; "):
        await change(database, statement)
    assert await faults(database) != ()


async def test_cutting_the_end_off_consistently_shows(database: Database) -> None:
    """Lines after the last anchor cannot be taken away even with the head set back, for heads are signed."""
    await anchored(database)
    await change(database, "DELETE FROM enfilade.audit WHERE seq > 4")
    await change(
        database,
        "UPDATE enfilade.audit_heads h SET seq = 4, hash = a.hash FROM enfilade.audit a WHERE a.seq = 4",
    )
    assert ["not written by this deployment" in fault for fault in await faults(database)] == [True]


async def test_rewriting_a_whole_chain_consistently_shows(database: Database) -> None:
    """A chain that is whole in itself is not the one that the anchor saw."""
    await anchored(database)
    await rewrite(database, "cus_other")
    found = await faults(database)
    assert any("not the one that anchor 1 saw" in fault for fault in found)


async def test_rewriting_the_anchors_too_shows(database: Database, tmp_path: Path) -> None:
    """Whoever rewrites anchors lacks the key that signs them, and a copy kept elsewhere differs."""
    outside = tmp_path / "anchors.jsonl"
    await anchored(database, str(outside))
    await rewrite(database, "cus_other")
    async with database.begin() as connection:
        (made,) = await audit.anchors_between(connection, 0, 9, 9)
        seen = (await connection.execute(select(trail).where(trail.c.seq == 3))).one()
        forged = audit.Anchor(1, made.at, made.previous, {seen.chain: (3, seen.hash)})
        values = {"heads": forged.heads, "hash": forged.content_hash()}
        await connection.execute(update(audit_anchors).values(values))
    assert any("anchor 1 was altered" in fault for fault in await faults(database))
    kept = json.loads(outside.read_text())
    found = await audit.check(database, (kept["number"], kept["hash"]))
    assert "anchor 1 is not the one that was stored elsewhere" in found.faults


@pytest.mark.usefixtures("stopped_clock")
async def test_anchors_are_hourly_and_chained(database: Database) -> None:
    """Two at once write one; the next comes an hour later and names the one before; silence makes none."""
    await written(database)
    made = [one for one in await asyncio.gather(*(audit.anchor(database) for _ in range(4))) if one]
    assert [one.number for one in made] == [1]
    await written(database)
    assert await audit.anchor(database) is None
    clock.advance(3601)
    second = await audit.anchor(database)
    assert second is not None
    assert (second.number, second.previous) == (2, made[0].hash)
    clock.advance(3601)
    assert await audit.anchor(database) is None
    verified = await audit.check(database)
    assert (verified.lines, verified.anchors, verified.faults) == (6, 2, ())
    await change(database, "DELETE FROM enfilade.audit_anchors WHERE number = 1")
    assert await faults(database) != ()


async def test_an_anchor_that_cannot_be_told_is_kept_all_the_same(database: Database, tmp_path: Path) -> None:
    """The place outside being away costs no anchor."""
    await written(database)
    assert await audit.anchor(database, str(tmp_path / "nowhere" / "anchors.jsonl")) is not None
    assert await faults(database) == ()


async def test_verifying_sees_one_moment(database: Database) -> None:
    """Lines written while the trail is read are no break of it."""

    async def write_on() -> None:
        for n in range(40):
            await note(database, f"cus_{n}")

    writing = asyncio.create_task(write_on())
    while not writing.done():
        assert (await audit.check(database)).faults == ()
    await writing


async def test_refusals_of_strangers_are_counted_by_source_and_minute(database: Database) -> None:
    """Counts of the same minute add up, whoever counted them."""
    minute = dt.datetime(2026, 11, 21, 12, 30, 40, tzinfo=dt.UTC)
    async with database.begin() as connection:
        await audit.note_refusals(connection, minute, {"192.0.2.1": 3, "192.0.2.2": 1})
        await audit.note_refusals(connection, minute, {"192.0.2.1": 4})
        await audit.note_refusals(connection, minute, {})
        rows = await connection.execute(select(refusals).order_by(refusals.c.source))
        assert [(row.minute.second, row.source, row.count) for row in rows] == [
            (0, "192.0.2.1", 7),
            (0, "192.0.2.2", 1),
        ]


async def test_refusals_come_in_batches(database: Database) -> None:
    """A gateway's gathered refusals are one write and verify like any other line."""
    async with database.begin() as connection:
        await audit.write_all(
            connection, [audit.AuditEntry("read", "denied", consumer=f"c{n}") for n in range(5)]
        )
        await audit.write_all(connection, [])
    assert await faults(database) == ()
