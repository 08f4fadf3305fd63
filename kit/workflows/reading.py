"""kit/workflows: reading runs: one, a page of them, a run's timeline, what it would have sent."""

import datetime as dt
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import cast, exists, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.values import Ref
from contracts.canonical.workflow import PlannedRequest, Step
from kit.database import decode_page, encode_page
from kit.database.rows import own
from kit.database.tables import exceptions, runs, steps, would_send
from kit.workflows.flow import RunRow


class RunPage(msgspec.Struct, frozen=True):
    """A page of runs, newest first."""

    items: tuple[RunRow, ...]
    next_cursor: str | None = None


async def read(conn: AsyncConnection, workflow_id: str) -> RunRow | None:
    """The run, None when it was never started or is not the caller's."""
    query = select(runs).where(runs.c.id == workflow_id, *own(runs))
    row = (await conn.execute(query)).one_or_none()
    return run_of(row) if row is not None else None


async def find(
    conn: AsyncConnection,
    *,
    flow: str | None = None,
    status: str | None = None,
    subject: str | None = None,
    correlation_id: str | None = None,
    matching: dict[str, Any] | None = None,
    subjects: Collection[str] | None = None,
    owner: str | None = None,
    entity: str | None = None,
    instance: str | None = None,
    mode: str | None = None,
    started_before: dt.datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> RunPage:
    """A page of the caller's runs, newest first; `matching` are fields of the input that must be equal.

    With `subjects` only those about any of these; with `owner` those whose exception that team must decide.
    """
    wanted = {
        "flow": flow,
        "status": status,
        "subject": subject,
        "correlation_id": correlation_id,
        "entity": entity,
        "mode": mode,
    }
    query = select(runs).where(
        *(runs.c[name] == value for name, value in wanted.items() if value is not None), *own(runs)
    )
    if subjects is not None:
        query = query.where(runs.c.subject.in_(subjects))
    if owner is not None:
        cases = (exceptions.c.id == runs.c.exception_id) & (exceptions.c.owner == owner)
        query = query.where(exists(select(exceptions.c.id).where(cases)))
    if instance is not None:
        query = query.where(runs.c.instances.contains([instance]))
    if started_before is not None:
        query = query.where(runs.c.started_at < started_before)
    if matching:
        query = query.where(runs.c.input.contains(matching))
    if cursor:
        started_at, identity = decode_page(cursor, tuple[dt.datetime, str])
        query = query.where(tuple_(runs.c.started_at, runs.c.id) < (started_at, identity))
    query = query.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit + 1)
    rows = (await conn.execute(query)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return RunPage(
        items=tuple(run_of(row) for row in rows[:limit]),
        next_cursor=encode_page(last.started_at, last.id) if last else None,
    )


async def timeline(conn: AsyncConnection, workflow_id: str) -> tuple[Step, ...]:
    """The steps of a run in the order in which they began, undoing included."""
    query = select(steps).where(steps.c.run_id == workflow_id, *own(steps)).order_by(steps.c.seq)
    return tuple(
        Step(
            name=row.name,
            title=row.title,
            status=row.status,
            started_at=row.started_at,
            finished_at=row.finished_at,
            seconds=(row.finished_at - row.started_at).total_seconds() if row.finished_at else None,
            attempts=row.attempts,
            detail=row.detail,
            refs=msgspec.convert(row.refs, tuple[Ref, ...]),
        )
        for row in await conn.execute(query)
    )


async def planned_requests(conn: AsyncConnection, workflow_id: str) -> tuple[PlannedRequest, ...]:
    """What observe mode worked out for a run, in order."""
    mine = (would_send.c.run_id == workflow_id, *own(would_send))
    query = select(would_send).where(*mine).order_by(would_send.c.seq)
    return tuple(
        PlannedRequest(row.step, row.instance, row.operation, row.key, row.body)
        for row in await conn.execute(query)
    )


async def waiting_for(conn: AsyncConnection, key: str, *, flow: str) -> tuple[str, ...]:
    """The ids of a flow's unfinished runs that wait for what has the key."""
    query = select(runs.c.id).where(
        runs.c.flow == flow, runs.c.finished_at.is_(None), runs.c.waits_for == key
    )
    return tuple((await conn.execute(query)).scalars())


async def requesters(conn: AsyncConnection, key: str) -> frozenset[str]:
    """Who began or asked for the unfinished runs that wait for what has the key, whosever they are."""
    query = select(runs.c.actor, runs.c.requesters).where(
        runs.c.finished_at.is_(None), runs.c.waits_for == key
    )
    return frozenset(name for row in await conn.execute(query) for name in (row.actor, *row.requesters))


async def add_requester(conn: AsyncConnection, workflow_id: str, actor: str) -> None:
    """Record an actor that requested a run which another had started."""
    other = (runs.c.id == workflow_id) & (runs.c.actor != actor) & ~runs.c.requesters.contains([actor])
    await conn.execute(
        update(runs).where(other).values(requesters=runs.c.requesters.op("||")(cast([actor], JSONB)))
    )


async def decide(conn: AsyncConnection, workflow_id: str, question: str, by: str) -> RunRow | None:
    """Record who answers a question of a run; None where it was answered before."""
    row = await conn.execute(
        update(runs)
        .where(runs.c.id == workflow_id, ~runs.c.decisions.has_key(question))
        .values(decisions=runs.c.decisions.op("||")(cast({question: by}, JSONB)), version=runs.c.version + 1)
        .returning(runs)
    )
    claimed = row.one_or_none()
    return run_of(claimed) if claimed is not None else None


def run_of(row: Any) -> RunRow:
    """The run that a row has."""
    columns: dict[str, Any] = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    fields = {name: columns[name] for name in RunRow.__struct_fields__}
    fields["version"] = str(row.version)
    return RunRow(**fields)
