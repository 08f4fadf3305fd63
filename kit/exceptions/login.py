"""kit/exceptions: the one case of an instance whose login fails, for which all that it stops waits."""

import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.exception import OPERATIONS, kind_of
from contracts.problems import Problem
from kit.context import new_id
from kit.database.locks import number_of
from kit.database.tables import case_waiters, exceptions
from kit.exceptions import Resume, raise_exception, settle
from kit.http import LOGIN_FAILED

FLOW = "login"


def failed_login(problem: Problem | None) -> str:
    """The instance whose login failed, where the problem is that; empty where it is another."""
    return problem.instance if problem is not None and problem.extra.get(LOGIN_FAILED) else ""


async def wait_for_login(
    conn: AsyncConnection, problem: Problem, *, waiter: str, resume: Resume, correlation_id: str
) -> str:
    """The id of the instance's open case, which is raised where there is none; `resume` waits for it.

    A waiter waits for one case, so that repeating this after a crash gives the same.
    """
    mine = select(case_waiters.c.exception_id).where(case_waiters.c.waiter == waiter)
    known = (await conn.execute(mine)).scalar()
    if known is not None:
        return known
    case = await raise_login_case(conn, problem, correlation_id)
    row = insert(case_waiters).values(waiter=waiter, exception_id=case, resume=msgspec.to_builtins(resume))
    await conn.execute(row)
    return case


async def end_login_case(conn: AsyncConnection, instance: str) -> None:
    """End the open case of an instance whose login works again; not one for which something waits."""
    case = await _open_case(conn, instance)
    waiters = select(case_waiters.c.waiter).where(case_waiters.c.exception_id == case).limit(1)
    if case and (await conn.execute(waiters)).scalar() is None:
        await settle(conn, case, "The login works again")


async def _open_case(conn: AsyncConnection, instance: str) -> str:
    """The id of an instance's open case, empty where there is none; it stays so for this transaction."""
    await conn.execute(select(func.pg_advisory_xact_lock(number_of(f"login case:{instance}"))))
    same = (exceptions.c.flow == FLOW) & (exceptions.c.subject == instance) & (exceptions.c.status == "open")
    # Under its lock, it cannot be resolved before the waiter is written.
    return (await conn.execute(select(exceptions.c.id).where(same).with_for_update())).scalar() or ""


async def raise_login_case(conn: AsyncConnection, problem: Problem, correlation_id: str) -> str:
    """The id of the instance's open case, which is raised where there is none."""
    instance = problem.instance
    if case := await _open_case(conn, instance):
        return case
    return await raise_exception(
        conn,
        id=new_id("exc"),
        kind=kind_of(problem),
        flow=FLOW,
        subject=instance,
        stopped=f"Our login at {instance} fails: all work that needs {instance} waits.",
        why=problem.detail,
        what_next=(
            f"Correct the login of {instance} at the vendor or in its profile, check it with “enfilade "
            f"instance check {instance}”, then replay: all that waits for it goes on."
        ),
        owner=OPERATIONS,
        errors=problem.errors,
        correlation_id=correlation_id,
        resume=Resume(kind="waiters"),
    )
