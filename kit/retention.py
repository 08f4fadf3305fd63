"""kit: deletes data that is older than the retention of its class, in small batches, and audits it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Row, Table, exists, func, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import NotFound
from kit import audit, clock, privacy
from kit.audit import purging
from kit.database import Database, get_cursor, set_cursor
from kit.database.declaring import Expiry, declared
from kit.database.tables import exceptions, runs, steps, would_send
from kit.privacy.requests import shred
from kit.privacy.tables import holds, persons
from kit.settings import read_toml
from kit.workflows.purge import count_ended, purge_ended

EVERY = dt.timedelta(days=1)
BATCH = 1000
_CURSOR = "retention"

Days = Annotated[int, Meta(ge=1, le=36_525)]
Weeks = Annotated[int, Meta(ge=14, le=36_525)]


class RetentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days for which each class is retained after its end.

    `audit` lines of the trail; `decisions` exceptions that people decided; `ledger` effects at vendors;
    `people` those not seen since, whose keys are then destroyed; `workflows` finished runs with their steps;
    `engine` the workflow engine's rows of ended runs; `events` the feed; `inbox` received events
    (never shorter than a vendor may repeat them); `vendor_calls` one row per call to a vendor;
    `refusals` counts of refused unidentified callers; `usage` calls per consumer and day;
    `quotas` the used part of a month's quota.
    """

    audit: Days = 3653
    decisions: Days = 3653
    ledger: Days = 3653
    people: Days = 3653
    workflows: Days = 3653
    engine: Days = 30
    events: Weeks = 400
    inbox: Weeks = 90
    vendor_calls: Days = 90
    refusals: Days = 90
    usage: Days = 800
    quotas: Weeks = 400


def read_rules(folder: Path | None) -> RetentionSettings:
    """The rules of a configuration folder's `retention.toml`, where there is one; raises SettingsError."""
    path = folder / "retention.toml" if folder is not None else None
    return read_toml(path, RetentionSettings) if path is not None and path.exists() else RetentionSettings()


class Outcome(msgspec.Struct, frozen=True):
    """One class: its retention, before when rows expire, and how many were (or would be) deleted."""

    name: str
    days: int
    before: dt.datetime
    rows: int


class _Class:
    """How the old rows of a class are counted, and some of them deleted."""

    def __init__(
        self,
        count: Callable[[AsyncConnection, dt.datetime], Awaitable[int]],
        delete: Callable[[Database, dt.datetime], Awaitable[int]],
    ) -> None:
        self.count = count
        self.delete = delete


async def status(database: Database, settings: RetentionSettings) -> list[Outcome]:
    """What a run would delete now, class by class."""
    outcomes: list[Outcome] = []
    async with database.connect() as connection:
        for name, kind in _classes().items():
            days, before = _limit(settings, name)
            outcomes.append(Outcome(name, days, before, await kind.count(connection, before)))
    return outcomes


async def run(database: Database, settings: RetentionSettings) -> list[Outcome]:
    """Delete what has expired, class by class, and write it to the audit."""
    outcomes: list[Outcome] = []
    for name, kind in _classes().items():
        days, before = _limit(settings, name)
        rows = 0
        while deleted := await kind.delete(database, before):
            rows += deleted
        outcomes.append(Outcome(name, days, before, rows))
    async with database.begin() as connection:
        detail = {outcome.name: outcome.rows for outcome in outcomes}
        await audit.write(connection, action="retention.ran", outcome="done", detail=detail)
    return outcomes


async def run_when_due(database: Database, settings: RetentionSettings) -> list[Outcome] | None:
    """Once a day, by the deployment's clock, in one process of all; None when it was not the time."""
    if await database.locks.take(_CURSOR) is None:
        return None
    try:
        async with database.connect() as connection:
            last = await get_cursor(connection, _CURSOR)
        if last is not None and dt.datetime.fromisoformat(last) + EVERY > clock.now():
            return None
        outcomes = await run(database, settings)
        async with database.begin() as connection:
            await set_cursor(connection, _CURSOR, clock.now().isoformat())
        return outcomes
    finally:
        await database.locks.release(_CURSOR)


async def list_holds(conn: AsyncConnection) -> list[Row[Any]]:
    """The legal holds, oldest first."""
    return list((await conn.execute(select(holds).order_by(holds.c.held_at, holds.c.subject))).all())


async def hold(conn: AsyncConnection, subject: str, reason: str) -> Row[Any]:
    """Exempt all rows that name an id from deletion, in the caller's transaction; writes to the audit."""
    by = await privacy.actor(conn)
    row = insert(holds).values(subject=subject, reason=reason, held_by=by, held_at=clock.now())
    again = row.on_conflict_do_update(index_elements=["subject"], set_={"reason": reason, "held_by": by})
    made = (await conn.execute(again.returning(holds))).one()
    await _audit_hold(conn, "retention.held", subject, by, reason)
    return made


async def lift(conn: AsyncConnection, subject: str) -> Row[Any]:
    """End a hold, in the caller's transaction; writes to the audit. Raises NotFound."""
    gone = await conn.execute(holds.delete().where(holds.c.subject == subject).returning(holds))
    row = gone.one_or_none()
    if row is None:
        raise NotFound(f"{subject} is under no legal hold")
    await _audit_hold(conn, "retention.lifted", subject, await privacy.actor(conn), row.reason)
    return row


async def _audit_hold(conn: AsyncConnection, action: str, subject: str, by: str, reason: str) -> None:
    await audit.write(
        conn,
        action=action,
        outcome="done",
        actor=by,
        consumer=audit.consumer(),
        subject=subject,
        detail={"reason": reason},
    )


def _limit(settings: RetentionSettings, name: str) -> tuple[int, dt.datetime]:
    days = getattr(settings, name)
    return days, clock.now() - dt.timedelta(days=days)


def _rows(table: Table, expiry: Expiry) -> _Class:
    """A class that is the old rows of one table, but those that a legal hold names in some column."""
    keys = tuple(table.primary_key)

    def old(before: dt.datetime) -> ColumnElement[bool]:
        ended = true() if expiry.ended is None else expiry.ended
        return (table.c[expiry.age] < before) & _free(table, *expiry.held_by) & ended

    async def count(conn: AsyncConnection, before: dt.datetime) -> int:
        return await _count(conn, table, old(before))

    async def delete(database: Database, before: dt.datetime) -> int:
        some = select(*keys).where(old(before)).limit(BATCH).with_for_update(skip_locked=True)
        async with database.begin() as connection:
            return (await connection.execute(table.delete().where(tuple_(*keys).in_(some)))).rowcount

    return _Class(count, delete)


def _free(table: Table, *held_by: str) -> ColumnElement[bool]:
    held = select(holds.c.subject)
    return ~or_(*(table.c[name].in_(held) for name in held_by)) if held_by else true()


async def _count(conn: AsyncConnection, table: Table, which: ColumnElement[bool]) -> int:
    return (await conn.execute(select(func.count()).select_from(table).where(which))).scalar_one()


def _old_runs(before: dt.datetime) -> ColumnElement[bool]:
    """Runs that ended, and that no open exception may start again."""
    open_case = exists().where(exceptions.c.workflow_id == runs.c.id, exceptions.c.status == "open")
    return (
        (runs.c.finished_at < before) & ~open_case & _free(runs, "id", "subject", "actor", "correlation_id")
    )


async def _count_runs(conn: AsyncConnection, before: dt.datetime) -> int:
    return await _count(conn, runs, _old_runs(before))


async def _delete_runs(database: Database, before: dt.datetime) -> int:
    some = select(runs.c.id).where(_old_runs(before)).limit(BATCH).with_for_update(skip_locked=True)
    async with database.begin() as connection:
        ids = list((await connection.execute(some)).scalars())
        for table in (steps, would_send):
            await connection.execute(table.delete().where(table.c.run_id.in_(ids)))
        await connection.execute(runs.delete().where(runs.c.id.in_(ids)))
    return len(ids)


async def _delete_engine(database: Database, before: dt.datetime) -> int:
    return await purge_ended(database, before, BATCH)


async def _count_audit(conn: AsyncConnection, before: dt.datetime) -> int:
    over = await purging.last_expired(conn, before)
    return await purging.count_under(conn, over) if over is not None else 0


async def _delete_audit(database: Database, before: dt.datetime) -> int:
    async with database.begin() as connection:
        over = await purging.last_expired(connection, before)
        if over is None:
            return 0
        await purging.begin_purge(connection, over)
        return await purging.purge(connection, over, BATCH)


def _old_people(before: dt.datetime) -> ColumnElement[Any]:
    return (persons.c.seen_at < before) & persons.c.erased_at.is_(None) & _free(persons, "id")


async def _count_people(conn: AsyncConnection, before: dt.datetime) -> int:
    return await _count(conn, persons, _old_people(before))


async def _shred_people(database: Database, before: dt.datetime) -> int:
    async with database.begin() as connection:
        return await shred(connection, _old_people(before), clock.now())


# What is more than the old rows of one table.
_OWN = {
    "audit": _Class(_count_audit, _delete_audit),
    "people": _Class(_count_people, _shred_people),
    "workflows": _Class(_count_runs, _delete_runs),
    "engine": _Class(count_ended, _delete_engine),
}


def _classes() -> dict[str, _Class]:
    """How each class of the rules is deleted; raises KeyError for one whose table is not loaded."""
    expiring = defaultdict[str, list[_Class]](list)
    for table in declared():
        if isinstance(expiry := table.info["retention"], Expiry):
            expiring[expiry.rule].append(_rows(table, expiry))
    classes = _OWN | {rule: _together(parts) for rule, parts in expiring.items()}
    return {name: classes[name] for name in RetentionSettings.__struct_fields__}


def _together(parts: list[_Class]) -> _Class:
    """A class of the rows of several tables."""

    async def count(conn: AsyncConnection, before: dt.datetime) -> int:
        return sum([await part.count(conn, before) for part in parts])

    async def delete(database: Database, before: dt.datetime) -> int:
        return sum([await part.delete(database, before) for part in parts])

    return _Class(count, delete)
