"""kit/workflows: deletes the engine's rows of runs that ended long ago; what may go on stays."""

import asyncio
import datetime as dt

from dbos import DBOSClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.database import Database
from kit.workflows.serializing import JsonSerializer

# A run that people still see as unfinished may be taken up again, whatever the engine thinks of it.
_ENDED = """
    FROM dbos.workflow_status s
    WHERE s.status IN ('SUCCESS', 'ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED')
    AND s.updated_at < :before
    AND NOT EXISTS (
        SELECT FROM enfilade.runs r
        WHERE r.engine_id = s.workflow_uuid
        AND (r.finished_at IS NULL OR r.id IN (SELECT subject FROM enfilade.holds)
             OR r.correlation_id IN (SELECT subject FROM enfilade.holds))
    )
"""
_COUNT = text(f"SELECT count(*) {_ENDED}")
_SOME = text(f"SELECT s.workflow_uuid {_ENDED} ORDER BY s.updated_at LIMIT :limit")


async def count_ended(conn: AsyncConnection, before: dt.datetime) -> int:
    """How many of the engine's workflows ended before an instant."""
    return (await conn.execute(_COUNT, {"before": _milliseconds(before)})).scalar_one()


async def purge_ended(database: Database, before: dt.datetime, limit: int) -> int:
    """Delete some of them with all of the engine's rows of each; returns how many."""
    async with database.connect() as connection:
        rows = await connection.execute(_SOME, {"before": _milliseconds(before), "limit": limit})
        ids = list(rows.scalars())
    if ids:
        await asyncio.to_thread(_delete, database.url, ids)
    return len(ids)


def _delete(url: str, ids: list[str]) -> None:
    client = DBOSClient(
        system_database_url=url, serializer=JsonSerializer(), system_database_pool_size=1, lazy=True
    )
    try:
        client.delete_workflows(ids)
    finally:
        client.destroy()


def _milliseconds(instant: dt.datetime) -> int:
    return int(instant.timestamp() * 1000)
