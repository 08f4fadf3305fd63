"""kit/workflows: the runs of one business object, in order: each succeeds one that has ended."""

import re

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database.rows import own
from kit.database.tables import runs
from kit.workflows.flow import RunRow
from kit.workflows.reading import run_of

# An engine's id has none, and the ids of first runs do not end so.
_MARK = ":"
_NUMBERED = re.compile(r"(.+):([1-9][0-9]*)")


def number_of(run_id: str) -> int:
    """Which run of its object it is, from one."""
    numbered = _NUMBERED.fullmatch(run_id)
    return int(numbered[2]) if numbered else 1


def successor_of(run_id: str) -> str:
    """The id of the run after this one."""
    numbered = _NUMBERED.fullmatch(run_id)
    return f"{numbered[1] if numbered else run_id}{_MARK}{number_of(run_id) + 1}"


async def newest(conn: AsyncConnection, first: str) -> RunRow | None:
    """The last run of the object whose first run has this id; None for one without, or not the caller's."""
    these = or_(runs.c.id == first, runs.c.id.startswith(f"{first}{_MARK}", autoescape=True))
    query = select(runs).where(these, *own(runs)).order_by(func.length(runs.c.id).desc(), runs.c.id.desc())
    row = (await conn.execute(query.limit(1))).one_or_none()
    return run_of(row) if row is not None else None


async def is_succeeded(conn: AsyncConnection, run_id: str) -> bool:
    """Whether another run took its place, whosever that is."""
    query = select(runs.c.id).where(runs.c.id == successor_of(run_id))
    return (await conn.execute(query)).scalar() is not None
