"""kit/audit: deletes expired lines as a block, from the first line up to an anchor, which is retained."""

import datetime as dt
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.audit.anchoring import Anchor, read_anchor
from kit.audit.tables import audit, audit_anchors
from kit.audit.verifying import PURGED
from kit.audit.writing import write
from kit.privacy.tables import holds


async def last_expired(conn: AsyncConnection, before: dt.datetime) -> Anchor | None:
    """The last anchor under which every line is older than an instant, and none is under a legal hold."""
    held = select(holds.c.subject)
    under_hold = or_(*(audit.c[name].in_(held) for name in ("actor", "subject", "correlation_id")))
    oldest_held = (await conn.execute(select(func.min(audit.c.at)).where(under_hold))).scalar()
    limit = min(before, oldest_held) if oldest_held is not None else before
    over = select(audit_anchors).where(audit_anchors.c.at < limit)
    row = (await conn.execute(over.order_by(audit_anchors.c.number.desc()).limit(1))).one_or_none()
    return read_anchor(row) if row is not None else None


async def begin_purge(conn: AsyncConnection, over: Anchor) -> None:
    """Add the line that announces the deletion of the lines under an anchor, which verification requires."""
    if await purged(conn) < over.number:
        detail = {"anchor": over.number, "hash": over.hash, "until": over.at.isoformat()}
        await write(conn, action=PURGED, outcome="begun", subject=f"anchor {over.number}", detail=detail)


async def purged(conn: AsyncConnection) -> int:
    """The number of the anchor up to which lines were deleted, 0 when none ever were."""
    number = cast(audit.c.detail["anchor"].astext, BigInteger)
    return (await conn.execute(select(func.max(number)).where(audit.c.action == PURGED))).scalar() or 0


async def purge(conn: AsyncConnection, over: Anchor, limit: int) -> int:
    """Delete some of the lines under an anchor, the first ones first; how many those were."""
    some = _under(over).order_by(audit.c.seq).limit(limit)
    gone = audit.delete().where(tuple_(audit.c.chain, audit.c.seq).in_(some))
    return (await conn.execute(gone)).rowcount


async def count_under(conn: AsyncConnection, over: Anchor) -> int:
    """How many lines are under an anchor."""
    return (await conn.execute(select(func.count()).select_from(_under(over).subquery()))).scalar_one()


def _under(over: Anchor) -> Select[Any, Any]:
    heads = (
        (audit.c.chain == chain) & (audit.c.seq <= seq) for chain, (seq, _) in sorted(over.heads.items())
    )
    return select(audit.c.chain, audit.c.seq).where(or_(*heads))
