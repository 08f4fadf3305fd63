"""kit/workflows: finds undelivered messages, missed deadlines and abandoned runs."""

import asyncio
import logging
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import SLA_BREACHED, SlaBreached
from contracts.problems import Unavailable
from kit import audit, clock, exceptions, idempotency
from kit.database import Database
from kit.database.tables import due
from kit.inbox import publish
from kit.workflows.flow import ExceptionDraft
from kit.workflows.journal import Journal

logger = logging.getLogger(__name__)

_ABANDONED = text(
    "SELECT r.id, r.flow, r.correlation_id, r.subject, r.actor, r.position, s.status"
    " FROM enfilade.runs r JOIN dbos.workflow_status s ON s.workflow_uuid = r.engine_id"
    " WHERE r.finished_at IS NULL"
    " AND s.status IN ('ERROR', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED', 'CANCELLED')"
)
# While the engine's listener is disconnected it gets no notification, and it polls once a minute only.
_UNDELIVERED = text(
    "SELECT pg_notify('dbos_notifications_channel', n.destination_uuid || '::' || n.topic)"
    " FROM enfilade.runs r JOIN dbos.notifications n ON n.destination_uuid = r.engine_id"
    " WHERE r.finished_at IS NULL AND r.status IN ('waiting', 'parked') AND NOT n.consumed"
)


async def breaches(database: Database) -> tuple[str, ...]:
    """Mark the deadlines that have passed and publish each once; their ids."""
    late = select(due).where(due.c.breached_at.is_(None), due.c.due_at <= clock.now()).limit(200)
    # In one order, so that two sweeps that meet at one run's events never wait for each other in a circle.
    late = late.order_by(due.c.subject, due.c.id).with_for_update(skip_locked=True)
    async with database.begin() as connection:
        rows = (await connection.execute(late)).all()
        for row in rows:
            await connection.execute(update(due).where(due.c.id == row.id).values(breached_at=clock.now()))
            await _report_breach(connection, row)
    return tuple(row.id for row in rows)


async def _report_breach(connection: AsyncConnection, row: Any) -> None:
    waits = row.kind == "wait"
    about = row.subject if waits else row.id
    await audit.write(
        connection,
        action="sla.breached",
        outcome=row.kind,
        subject=row.id,
        correlation_id=row.correlation_id,
    )
    await publish(
        connection,
        id=f"evt_{row.id}_breached",
        type=SLA_BREACHED,
        subject=about,
        key=about,
        data=SlaBreached(row.kind, about, row.due_at, "" if waits else row.subject),
        correlation_id=row.correlation_id,
        run_id=row.subject if waits else await exceptions.run_of(connection, row.id),
    )


async def abandoned(database: Database) -> tuple[str, ...]:
    """Raise an exception for every run that the engine ended and that would otherwise end unnoticed."""
    async with database.connect() as connection:
        rows = (await connection.execute(_ABANDONED)).all()
    for row in rows:
        logger.error("The run %s was abandoned: %s", row.id, row.status)
        journal = Journal(database, row.id, row.flow, row.correlation_id, row.subject)
        stop = ExceptionDraft(
            kind="policy_violation",
            stopped=f"The workflow {row.id} ({row.flow}) was given up.",
            why="It failed again and again by a fault of ours.",
            what_next="Find the cause in the log by the correlation id, then replay; or undo.",
            owner="operations",
        )
        await journal.park(
            row.position + 1,
            f"exc_{row.id}_{row.position + 1}",
            stop,
            step="",
            caused_by=row.actor,
            resume=exceptions.Resume(kind="restart", workflow_id=row.id),
            status="failed",
        )
    return tuple(row.id for row in rows)


async def renotify(database: Database) -> None:
    """Notify the runs whose message was stored and not consumed."""
    async with database.begin() as connection:
        await connection.execute(_UNDELIVERED)


async def sweep(database: Database, seconds: float) -> None:
    """Run every check once per `seconds`, until cancelled."""
    while True:
        for look in (renotify, breaches, abandoned, idempotency.purge):
            try:
                await look(database)
            except Unavailable:
                logger.warning("The sweep waits for the database")
                break
            except Exception:  # one look that fails must end neither the others nor the next
                logger.exception("The sweep failed at %s", look.__name__)
        await asyncio.sleep(seconds)
