"""kit/audit: counts refusals of unidentified callers by source and minute, without a line for each."""

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.audit.tables import refusals


async def note_refusals(conn: AsyncConnection, minute: dt.datetime, counts: Mapping[str, int]) -> None:
    """Add to what is counted for the minute, by source address."""
    at = minute.replace(second=0, microsecond=0)
    # In one order, so that two gateways that count the same sources never wait for each other in a circle.
    rows = [
        {"minute": at, "source": source, "count": count} for source, count in sorted(counts.items()) if count
    ]
    if rows:
        added = insert(refusals)
        await conn.execute(
            added.on_conflict_do_update(
                index_elements=["minute", "source"],
                set_={"count": refusals.c.count + added.excluded["count"]},
            ),
            rows,
        )
