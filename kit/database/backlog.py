"""kit: what waits in the database: unfinished flows, unread events, business cases for a person."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.telemetry import Family, Sample

# Each counts what a partial index holds, so that a scrape costs the database next to nothing.
_QUESTIONS = (
    (
        "enfilade_flows_unfinished",
        "Flows that are under way, by flow and status",
        (
            "SELECT flow AS flow, status AS status, count(*) AS value FROM enfilade.runs"
            " WHERE finished_at IS NULL GROUP BY flow, status"
        ),
    ),
    (
        "enfilade_inbox_waiting",
        "Events received and not yet handled, by status",
        (
            "SELECT status AS status, count(*) AS value FROM enfilade.inbox"
            " WHERE status IN ('new', 'taken', 'parked') GROUP BY status"
        ),
    ),
    (
        "enfilade_inbox_lag_seconds",
        "Age of the oldest event that waits to be handled",
        (
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0) AS value"
            " FROM enfilade.inbox WHERE status IN ('new', 'taken')"
        ),
    ),
    (
        "enfilade_outbox_lag_seconds",
        "Age of the oldest event that has no place in the feed yet",
        (
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(time)), 0) AS value"
            " FROM enfilade.events WHERE position IS NULL"
        ),
    ),
    (
        "enfilade_postings_waiting",
        "Records gathered and not yet settled, by flow and state",
        (
            "SELECT flow AS flow, state AS state, count(*) AS value FROM enfilade.postings"
            " WHERE state IN ('gathered', 'claimed', 'sent', 'doubtful') GROUP BY flow, state"
        ),
    ),
    (
        "enfilade_exceptions_open",
        "Business cases that wait for a person, by owner",
        (
            "SELECT owner AS owner, count(*) AS value FROM enfilade.exceptions"
            " WHERE status = 'open' GROUP BY owner"
        ),
    ),
    (
        "enfilade_exceptions_overdue",
        "Business cases that wait for a person longer than was agreed",
        (
            "SELECT count(*) AS value FROM enfilade.exceptions"
            " WHERE status = 'open' AND due_at < clock_timestamp()"
        ),
    ),
)


async def backlog(connection: AsyncConnection) -> list[Family]:
    """What waits now, as gauges."""
    found = []
    for name, told, question in _QUESTIONS:
        rows = (await connection.execute(text(question))).mappings().all()
        samples = [
            Sample(float(row["value"]), {key: str(value) for key, value in row.items() if key != "value"})
            for row in rows
        ]
        found.append(Family(name, "gauge", told, samples))
    return found
