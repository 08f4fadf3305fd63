"""kit: exceptions: business cases that a person must decide, and how the decision resumes the work."""

# ruff: noqa: A002 - an id, a type and an object are called what they are

import datetime as dt
from collections.abc import Collection
from typing import Any, Literal, Protocol

import msgspec
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.exception import BusinessException, BusinessExceptions, ExceptionKind
from contracts.duties import Duties
from contracts.events.kinds import EXCEPTION_RAISED, EXCEPTION_RESOLVED, ExceptionChanged
from contracts.problems import (
    AlreadyDecided,
    Conflict,
    Fault,
    NotFound,
    SegregationOfDuties,
)
from kit import audit, clock, context, postings, privacy
from kit.conditions import require_match
from kit.context import new_id
from kit.database import decode_page, encode_page
from kit.database.rows import own
from kit.database.tables import case_waiters, due, exceptions, runs
from kit.inbox import publish, release
from kit.texts import sentence

Action = Literal["replay", "undo", "skip"]
TOPIC = "resolution"
WITHIN_SECONDS = 8 * 3600.0


class Resume(msgspec.Struct, frozen=True, omit_defaults=True):
    """The work that waits for the decision: a running or ended workflow, an event, a record, or none.

    `corrections` are the names of those that the stopped step reads; None: all that its flow does.
    `waiters`: all that waits for a case that is one for many, and can only be replayed.
    """

    kind: Literal["signal", "restart", "inbox", "record", "waiters", "nothing"] = "nothing"
    workflow_id: str = ""
    inbox_seq: int = 0
    subscriber: str = ""
    source: str = ""
    revision: int = 0
    target: str = ""
    corrections: tuple[str, ...] | None = None


class Decision(msgspec.Struct, frozen=True):
    """What a person decided, as a waiting workflow receives it."""

    action: Action
    reason: str
    by: str
    corrections: dict[str, str] = {}


class Continues(Protocol):
    """What this module asks of the workflow runtime."""

    async def signal(
        self, conn: AsyncConnection, workflow_id: str, topic: str, message: msgspec.Struct, *, key: str
    ) -> None: ...

    async def restart(self, conn: AsyncConnection, workflow_id: str, corrections: dict[str, str]) -> None: ...

    def require_read(
        self, flow: str, corrections: dict[str, str], names: tuple[str, ...] | None = None
    ) -> None: ...


async def raise_exception(
    conn: AsyncConnection,
    *,
    kind: ExceptionKind,
    flow: str,
    subject: str,
    stopped: str,
    why: str,
    what_next: str,
    owner: str,
    correlation_id: str,
    resume: Resume | None = None,
    workflow_id: str = "",
    step: str = "",
    errors: tuple[Fault, ...] = (),
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
    reason: str = "",
    caused_by: str = "",
    within: float = WITHIN_SECONDS,
    id: str = "",
) -> str:
    """Put a case into the queue, in the transaction of the work that stopped; its id. An id raises once.

    `reason` is the same for all cases of a flow and step that one decision may resolve.
    """
    identity = id or new_id("exc")
    due_at = clock.now() + dt.timedelta(seconds=within)
    row = insert(exceptions).values(
        id=identity,
        kind=kind,
        flow=flow,
        subject=subject,
        stopped=sentence(stopped),
        why=sentence(why),
        what_next=sentence(what_next),
        owner=owner,
        correlation_id=correlation_id,
        raised_at=clock.now(),
        due_at=due_at,
        workflow_id=workflow_id,
        step=step,
        errors=msgspec.to_builtins(errors),
        before=before or {},
        after=after or {},
        reason=reason,
        caused_by=caused_by,
        resume=msgspec.to_builtins(resume or Resume()),
    )
    made = (await conn.execute(row.on_conflict_do_nothing().returning(exceptions))).one_or_none()
    if made is None:
        return identity
    clocks = insert(due).values(
        id=identity, kind="exception", subject=subject, correlation_id=correlation_id, due_at=due_at
    )
    await conn.execute(clocks.on_conflict_do_nothing())
    await audit.write(
        conn,
        actor=caused_by,
        action="exception.raised",
        subject=identity,
        outcome=kind,
        detail={"flow": flow, "step": step, "subject": subject},
        correlation_id=correlation_id,
    )
    await _publish(conn, EXCEPTION_RAISED, made)
    return identity


async def _publish(conn: AsyncConnection, type: str, row: Any) -> None:
    """Publish an exception as its row has it, in the caller's transaction."""
    of_run = select(runs.c.entity, runs.c.customer, runs.c.instances).where(runs.c.id == row.workflow_id)
    run = (await conn.execute(of_run)).one_or_none()
    event = ExceptionChanged(
        exception_id=row.id,
        kind=row.kind,
        status=row.status,
        flow=row.flow,
        subject=row.subject,
        owner=row.owner,
        stopped=row.stopped,
        why=row.why,
        what_next=row.what_next,
        raised_at=row.raised_at,
        due_at=row.due_at,
        resolved_at=row.resolved_at,
        workflow_id=row.workflow_id,
        step=row.step,
        entity=run.entity if run else "",
        customer=run.customer if run else "",
        instances=tuple(run.instances) if run else (),
    )
    await publish(
        conn,
        type=type,
        subject=row.id,
        key=row.id,
        data=event,
        correlation_id=row.correlation_id,
        run_id=row.workflow_id,
        # One about the delivery of such an event is not delivered itself, or it would raise the next.
        deliver=not (row.flow == "inbox" and row.subject.startswith("exc_")),
    )


async def get(conn: AsyncConnection, id: str) -> BusinessException:
    """The exception; raises NotFound, also where it is not the caller's."""
    query = select(exceptions).where(exceptions.c.id == id, *own(exceptions))
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise NotFound(f"There is no exception {id}")
    return await _exception(conn, row)


async def run_of(conn: AsyncConnection, id: str) -> str:
    """The id of the run that an exception stopped; empty where none was."""
    return (await conn.execute(select(exceptions.c.workflow_id).where(exceptions.c.id == id))).scalar() or ""


async def find(
    conn: AsyncConnection,
    *,
    status: str | None = None,
    flow: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> BusinessExceptions:
    """A page of the caller's exceptions, oldest first."""
    query = select(exceptions).where(*own(exceptions))
    if status:
        query = query.where(exceptions.c.status == status)
    if flow:
        query = query.where(exceptions.c.flow == flow)
    if cursor:
        raised_at, identity = decode_page(cursor, tuple[dt.datetime, str])
        query = query.where(tuple_(exceptions.c.raised_at, exceptions.c.id) > (raised_at, identity))
    query = query.order_by(exceptions.c.raised_at, exceptions.c.id).limit(limit + 1)
    rows = (await conn.execute(query)).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return BusinessExceptions(
        items=tuple([await _exception(conn, row) for row in rows[:limit]]),
        next_cursor=encode_page(last.raised_at, last.id) if last else None,
    )


async def resolve(
    conn: AsyncConnection,
    runtime: Continues,
    id: str,
    *,
    if_match: str | None,
    action: Action,
    reason: str,
    corrections: dict[str, str],
    by: str,
    duties: Duties,
    consumer: str = "",
) -> BusinessException:
    """Record a person's decision and resume the work, in one transaction; `by` as `privacy.actor` returns it.

    `duties` say whether the actor that caused it may. Raises NotFound, AlreadyDecided,
    PreconditionFailed (`if_match` does not name the version), SegregationOfDuties, and Invalid where nothing
    reads a correction.
    """
    row = await _open_row(conn, id)
    require_match(if_match, row.version)
    if row.resume.get("kind") == "waiters" and (action != "replay" or corrections):
        raise Conflict("Many runs wait for this case: replay it without corrections, then decide on each")
    doer = (by, context.current().who)
    duties.require_different_person("decide-exception", doer, {"cause-exception": await _causers(conn, row)})
    decision = Decision(action, reason, by, corrections)
    _require_read(runtime, row, decision)
    await _record(conn, row, decision, consumer)
    await _go_on(conn, runtime, row, decision)
    return await get(conn, id)


async def put_right(
    conn: AsyncConnection, runtime: Continues, id: str, *, teams: Collection[str], by: str, consumer: str = ""
) -> bool:
    """Go on with the work of an open exception of one of these teams, who say that they corrected the record.

    No decision: what stopped is read and judged again. False where there is none, or another's.
    """
    query = select(exceptions).where(exceptions.c.id == id, exceptions.c.status == "open")
    row = (await conn.execute(query.with_for_update())).one_or_none()
    if row is None or row.owner not in teams:
        return False
    decision = Decision("replay", "Corrected in the system that owns the record", by)
    await _record(conn, row, decision, consumer)
    await _go_on(conn, runtime, row, decision)
    return True


async def _open_row(conn: AsyncConnection, id: str) -> Any:
    """The open exception, locked; raises NotFound and AlreadyDecided."""
    query = select(exceptions).where(exceptions.c.id == id, *own(exceptions))
    row = (await conn.execute(query.with_for_update())).one_or_none()
    if row is None:
        raise NotFound(f"There is no exception {id}")
    if row.status != "open":
        by_whom = await privacy.shown(conn, row.resolved_by)
        raise AlreadyDecided(f"{by_whom} decided this: {row.action}")
    return row


def _require_read(runtime: Continues, row: Any, decision: Decision) -> None:
    """That something will read every correction; raises Invalid, which names what can be corrected."""
    resume = msgspec.convert(row.resume, Resume)
    nowhere = decision.action != "replay" or resume.kind in ("inbox", "waiters", "nothing")
    runtime.require_read(row.flow, decision.corrections, () if nowhere else resume.corrections)


class Alike(msgspec.Struct, frozen=True):
    """What one decision resolved; how many are left, and how many the person may not decide on."""

    resolved: tuple[str, ...]
    remaining: int
    withheld: int


async def resolve_group(
    conn: AsyncConnection,
    runtime: Continues,
    id: str,
    *,
    most: int,
    by: str,
    duties: Duties,
    **decision: Any,
) -> Alike:
    """Resolve the open exceptions that stopped for the same reason as this one, `most` of them, as `resolve`.

    This one may be resolved already. Raises NotFound, and Conflict where its reason is its own.
    """
    row = (
        await conn.execute(select(exceptions).where(exceptions.c.id == id, *own(exceptions)))
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no exception {id}")
    if not row.reason:
        raise Conflict(f"The exception {id} stands alone: resolve it by itself")
    same = [exceptions.c[name] == row._mapping[name] for name in ("flow", "step", "kind", "reason")]  # noqa: SLF001
    alike = select(exceptions.c.id).where(exceptions.c.status == "open", *same, *own(exceptions))
    oldest = alike.order_by(exceptions.c.raised_at, exceptions.c.id).with_for_update(skip_locked=True)
    resolved: list[str] = []
    withheld = 0
    for each in (await conn.execute(oldest)).scalars().all():
        if len(resolved) == most:
            break
        try:
            await resolve(conn, runtime, each, if_match=None, by=by, duties=duties, **decision)
        except SegregationOfDuties:
            withheld += 1
        else:
            resolved.append(each)
    left = (await conn.execute(select(func.count()).select_from(alike.subquery()))).scalar_one()
    return Alike(tuple(resolved), left - withheld, withheld)


async def _causers(conn: AsyncConnection, row: Any) -> tuple[str, ...]:
    """The actor that started the stopped work, and the actors that requested it later."""
    asked = (await conn.execute(select(runs.c.requesters).where(runs.c.id == row.workflow_id))).scalar()
    return (row.caused_by, *(asked or ()))


async def _record(conn: AsyncConnection, row: Any, decision: Decision, consumer: str) -> None:
    status = "skipped" if decision.action == "skip" else "resolved"
    changed = await conn.execute(
        update(exceptions)
        .where(exceptions.c.id == row.id)
        .values(
            status=status,
            version=exceptions.c.version + 1,
            action=decision.action,
            corrections=decision.corrections,
            resolved_at=clock.now(),
            resolved_by=decision.by,
            resolution=decision.reason,
        )
        .returning(exceptions)
    )
    await conn.execute(due.delete().where(due.c.id == row.id))
    await audit.write(
        conn,
        actor=decision.by,
        consumer=consumer,
        action="exception.resolved",
        subject=row.id,
        outcome=decision.action,
        detail={"corrections": decision.corrections},
        personal={"reason": decision.reason},
        correlation_id=row.correlation_id,
    )
    await _publish(conn, EXCEPTION_RESOLVED, changed.one())


async def _go_on(conn: AsyncConnection, runtime: Continues, row: Any, decision: Decision) -> None:
    resume = msgspec.convert(row.resume, Resume)
    if resume.kind != "waiters":
        await _resume(conn, runtime, row.id, resume, decision)
        return
    waiting = select(case_waiters.c.resume).where(case_waiters.c.exception_id == row.id)
    # What a person corrected would be of one of them.
    alone = msgspec.structs.replace(decision, corrections={})
    for each in (await conn.execute(waiting.order_by(case_waiters.c.waiter))).scalars().all():
        await _resume(conn, runtime, row.id, msgspec.convert(each, Resume), alone)


async def _resume(
    conn: AsyncConnection, runtime: Continues, id: str, resume: Resume, decision: Decision
) -> None:
    again = decision.action == "replay"
    if resume.kind == "signal":
        await runtime.signal(conn, resume.workflow_id, topic_of(id), decision, key=id)
    elif resume.kind == "restart" and again:
        await runtime.restart(conn, resume.workflow_id, decision.corrections)
    elif resume.kind == "restart":
        # The run stays as it ended; without its exception it may be replayed or succeeded.
        this = (runs.c.id == resume.workflow_id) & (runs.c.exception_id == id)
        await conn.execute(update(runs).where(this).values(exception_id="", version=runs.c.version + 1))
    elif resume.kind == "inbox":
        await release(conn, resume.inbox_seq, resume.subscriber, again=again)
    elif resume.kind == "record":
        await postings.release(
            conn,
            resume.source,
            resume.revision,
            resume.target,
            again=again,
            corrections=decision.corrections,
        )


async def open_about(conn: AsyncConnection, flow: str, subject: str) -> str:
    """The id of a flow's open exception about a subject; empty where there is none."""
    same = (exceptions.c.flow == flow) & (exceptions.c.subject == subject)
    query = select(exceptions.c.id).where(exceptions.c.status == "open", same).limit(1)
    return (await conn.execute(query)).scalar() or ""


async def settle(conn: AsyncConnection, id: str, reason: str) -> None:
    """End an open exception of which nothing waits, because its cause is gone."""
    query = select(exceptions).where(exceptions.c.id == id, exceptions.c.status == "open")
    row = (await conn.execute(query.with_for_update())).one_or_none()
    if row is not None:
        await _record(conn, row, Decision("skip", reason, "system:enfilade"), "")


class OpenCase(msgspec.Struct, frozen=True):
    """Of an open exception, who decides on it, what next, and why it stopped."""

    owner: str
    what_next: str
    why: str = ""


async def open_cases(conn: AsyncConnection, ids: Collection[str]) -> dict[str, OpenCase]:
    """Those of these exceptions that wait for a person, by their ids."""
    columns = (exceptions.c.id, exceptions.c.owner, exceptions.c.what_next, exceptions.c.why)
    query = select(*columns).where(exceptions.c.id.in_(ids), exceptions.c.status == "open")
    return (
        {row.id: OpenCase(row.owner, row.what_next, row.why) for row in await conn.execute(query)}
        if ids
        else {}
    )


async def is_open(conn: AsyncConnection, exception_id: str) -> bool:
    """Whether an exception waits for a person, whosever it is."""
    query = select(exceptions.c.status).where(exceptions.c.id == exception_id)
    return bool(exception_id) and (await conn.execute(query)).scalar() == "open"


async def owner_of(conn: AsyncConnection, exception_id: str) -> str:
    """The team that must decide on an exception, empty where there is none."""
    if not exception_id:
        return ""
    query = select(exceptions.c.owner).where(exceptions.c.id == exception_id)
    return (await conn.execute(query)).scalar() or ""


def topic_of(exception_id: str) -> str:
    """The topic on which a workflow waits for the decision of one exception."""
    return f"{TOPIC}:{exception_id}"


async def _exception(conn: AsyncConnection, row: Any) -> BusinessException:
    return BusinessException(
        id=row.id,
        version=str(row.version),
        kind=row.kind,
        status=row.status,
        flow=row.flow,
        subject=row.subject,
        stopped=row.stopped,
        why=row.why,
        what_next=row.what_next,
        owner=row.owner,
        correlation_id=row.correlation_id,
        raised_at=row.raised_at,
        due_at=row.due_at,
        workflow_id=row.workflow_id,
        step=row.step,
        reason=row.reason,
        errors=msgspec.convert(row.errors, tuple[Fault, ...]),
        before=row.before,
        after=row.after,
        caused_by=await privacy.shown(conn, row.caused_by),
        resolved_at=row.resolved_at,
        resolved_by=await privacy.shown(conn, row.resolved_by),
        resolution=row.resolution,
    )
