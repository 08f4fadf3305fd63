"""tests/kit: old data goes, young data stays, and nothing that is at work is touched."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text

import deploy.composition.tables  # noqa: F401 - declares every table
from kit import audit, clock, exceptions, inbox, privacy, retention
from kit.audit import purging
from kit.audit.tables import audit as trail
from kit.database import Database
from kit.database.tables import runs
from kit.privacy.tables import holds, persons
from tests.kit.workflows.conftest import Workbench
from tests.kit.workflows.story import DUTIES, Approval, Input
from tests.support.databases import keyed

RULES = retention.RetentionSettings()
DAY = 86_400


@pytest.fixture
async def deployment(database: Database) -> AsyncIterator[Workbench]:
    deployment = Workbench(database)
    await deployment.vendor.prepare()
    yield deployment
    await deployment.close()


@pytest.fixture(autouse=True)
def clocks(stopped_clock: None) -> None:
    """The deployment's clock stands until a test moves it."""


async def count(database: Database, table: str, where: str = "true") -> int:
    async with database.connect() as connection:
        query = select(func.count()).select_from(text(table)).where(text(where))
        return (await connection.execute(query)).scalar_one()


async def rows_of(outcomes: list[retention.Outcome]) -> dict[str, int]:
    return {outcome.name: outcome.rows for outcome in outcomes if outcome.rows}


async def line(database: Database, subject: str = "cus_1", actor: str = "") -> None:
    async with database.begin() as connection:
        await audit.write(
            connection,
            action="a",
            outcome="b",
            subject=subject,
            actor=actor,
            consumer="finance-desk" if actor else "",
        )


async def test_old_lines_go_up_to_an_anchor_and_the_trail_still_verifies(database: Database) -> None:
    """Ten years on only what is under an old enough anchor is gone; tampering is found as before."""
    for _ in range(2):
        for n in range(3):
            await line(database, f"cus_{n}")
        assert await audit.anchor(database) is not None
        clock.advance(3601)
    clock.advance(3652 * DAY)
    await line(database, "young")
    clock.advance(DAY - 3602)
    assert await rows_of(await retention.status(database, RULES)) == {"audit": 3}
    assert await rows_of(await retention.run(database, RULES)) == {"audit": 3}
    verified = await audit.check(database)
    assert (verified.faults, verified.anchors) == ((), 2)
    async with database.connect() as connection:
        told = (
            await connection.execute(select(trail).order_by(trail.c.at.desc(), trail.c.seq.desc()))
        ).first()
    assert told is not None
    assert (told.action, told.detail["audit"]) == ("retention.ran", 3)
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM enfilade.audit WHERE seq = 4"))
    assert (await audit.check(database)).faults != ()


async def test_a_purge_that_was_cut_short_verifies_and_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two batches the trail is whole as far as it goes, and the next run finishes the work."""
    for n in range(5):
        await line(database, f"cus_{n}")
    await audit.anchor(database)
    clock.advance(3654 * DAY)
    async with database.begin() as connection:
        over = await purging.last_expired(connection, clock.now() - dt.timedelta(days=3653))
        assert over is not None
        await purging.begin_purge(connection, over)
        assert await purging.purge(connection, over, 2) == 2
    assert (await audit.check(database)).faults == ()
    monkeypatch.setattr(retention, "BATCH", 1)
    assert await rows_of(await retention.run(database, RULES)) == {"audit": 3}
    assert (await audit.check(database)).faults == ()


async def test_lines_taken_away_without_a_word_in_the_trail_show(database: Database) -> None:
    """An old prefix that vanished by other hands than ours is a fault, anchor or not."""
    for n in range(3):
        await line(database, f"cus_{n}")
    await audit.anchor(database)
    await line(database)
    async with database.begin() as connection:
        await connection.execute(text("DELETE FROM enfilade.audit WHERE seq <= 3"))
    assert any(
        "lines before number 4 were removed" in fault for fault in (await audit.check(database)).faults
    )


async def test_finished_work_goes_and_waiting_work_is_untouched(deployment: Workbench) -> None:
    """Runs, steps and the engine's rows of what ended go by their classes; what waits goes on years later."""
    async with deployment.worker():
        await deployment.start("run_old")
        await deployment.until("done", "run_old")
        await deployment.start("run_waiting", approval=True)
        await deployment.until("waiting", "run_waiting")
    clock.advance(31 * DAY)
    assert (await rows_of(await retention.status(deployment.database, RULES)))["engine"] == 1
    await retention.run(deployment.database, RULES)
    assert await count(deployment.database, "dbos.workflow_status") == 1
    assert await count(deployment.database, "dbos.operation_outputs", "workflow_uuid = 'run_old'") == 0
    assert await count(deployment.database, "enfilade.runs") == 2
    clock.advance(3653 * DAY)
    outcomes = await rows_of(await retention.run(deployment.database, RULES))
    assert outcomes["workflows"] == 1
    assert await count(deployment.database, "enfilade.steps", "run_id = 'run_old'") == 0
    assert await count(deployment.database, "enfilade.steps", "run_id = 'run_waiting'") > 0
    async with deployment.worker():
        await deployment.signal("run_waiting", "approval", Approval("ann"))
        await deployment.until("done", "run_waiting")
    assert (await audit.check(deployment.database)).faults == ()


async def test_a_case_that_is_open_keeps_its_run(database: Database) -> None:
    """A run that was undone stays while somebody may still replay it; decided, both go in their time."""
    values: dict[str, Any] = {"flow": "f", "status": "undone", "fingerprint": "x", "correlation_id": "cor_1"}
    async with database.begin() as connection:
        await connection.execute(
            insert(runs).values(id="run_1", engine_id="run_1", finished_at=clock.now(), **values)
        )
        case = await exceptions.raise_exception(
            connection,
            kind="vendor_rejected",
            flow="f",
            subject="s",
            stopped="It stopped",
            why="why",
            what_next="next",
            owner="operations",
            correlation_id="cor_1",
            workflow_id="run_1",
        )
    clock.advance(4000 * DAY)
    await retention.run(database, RULES)
    assert await count(database, "enfilade.runs") == await count(database, "enfilade.exceptions") == 1
    async with database.begin() as connection:
        await exceptions.resolve(
            connection,
            Workbench(database).make_runtime("x", worker=False),
            case,
            if_match=None,
            action="skip",
            reason="late",
            corrections={},
            by="ann",
            duties=DUTIES,
        )
    clock.advance(4000 * DAY)
    await retention.run(database, RULES)
    assert await count(database, "enfilade.runs") == await count(database, "enfilade.exceptions") == 0


async def test_the_inbox_and_the_feed_forget_what_was_handled(database: Database) -> None:
    """Handled and read events go; what nobody has handled, or read, stays whatever its age."""
    async with database.begin() as connection:
        for n in range(2):
            await inbox.receive(
                connection,
                source="s",
                id=f"e{n}",
                type="t",
                key=f"k{n}",
                data=Input("x"),
                occurred_at=clock.now(),
                correlation_id="cor_1",
            )
        await connection.execute(
            text("UPDATE enfilade.inbox SET status = 'done', handled_at = now() WHERE id = 'e0'")
        )
        await inbox.publish(connection, type="t", subject="s", key="k", data={}, correlation_id="cor_1")
        await inbox.read(connection)
        await inbox.publish(connection, type="t", subject="s", key="k", data={}, correlation_id="cor_1")
        await audit.note_refusals(connection, clock.now(), {"192.0.2.1": 1})
        await connection.execute(
            text("INSERT INTO enfilade.quotas VALUES ('ci', 'a', date_trunc('month', now()), 1)")
        )
    clock.advance(80 * DAY)
    assert await rows_of(await retention.run(database, RULES)) == {}
    clock.advance(400 * DAY)
    assert await rows_of(await retention.run(database, RULES)) == {
        "inbox": 1,
        "events": 1,
        "refusals": 1,
        "quotas": 1,
    }
    assert await count(database, "enfilade.inbox", "id = 'e1'") == 1
    assert await count(database, "enfilade.events", "position IS NULL") == 1


async def test_people_are_forgotten_unless_they_come_again(database: Database) -> None:
    """Whoever was not seen for the time of the class loses the key, and the trail still verifies."""
    await line(database, actor="fiona")
    await line(database, actor="olga")
    clock.advance(3000 * DAY)
    async with database.begin() as connection:
        people = privacy.of(connection)
        people.forget()
        await people.pseudonym(connection, "olga")
    clock.advance(700 * DAY)
    assert (await rows_of(await retention.run(database, retention.RetentionSettings(audit=30_000))))[
        "people"
    ] == 1
    async with database.connect() as connection:
        left = await connection.execute(select(persons.c.wrapped_key.is_not(None)).order_by(persons.c.id))
        assert sorted(left.scalars()) == [False, True]
    assert (await audit.check(database)).faults == ()


async def test_a_legal_hold_keeps_what_it_names(database: Database) -> None:
    """Neither lines nor rows of a held correlation go, however old they are."""
    await line(database, "before")
    await audit.anchor(database)
    clock.advance(3601)
    await line(database, "held")
    async with database.begin() as connection:
        await connection.execute(holds.insert().values(subject="held", reason="case 7", held_by="olga"))
        await connection.execute(
            text(
                "INSERT INTO enfilade.vendor_calls (correlation_id, instance, method, template)"
                " VALUES ('held', 'i', 'GET', '/'), ('other', 'i', 'GET', '/')"
            )
        )
    await audit.anchor(database)
    clock.advance(8000 * DAY)
    assert await rows_of(await retention.run(database, RULES)) == {"audit": 1, "vendor_calls": 1}
    assert await count(database, "enfilade.audit", "subject = 'held'") == 1


async def test_it_runs_once_a_day_in_one_process(database: Database) -> None:
    """The second of two, and whoever comes within a day, does nothing."""
    assert await retention.run_when_due(database, RULES) is not None
    other = keyed(database.url)
    assert await retention.run_when_due(other, RULES) is None
    clock.advance(DAY + 1)
    assert await retention.run_when_due(other, RULES) is not None
    await other.close()
