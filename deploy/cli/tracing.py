"""deploy: the path of a correlation id, from every durable table that contains it."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from kit.audit.tables import audit
from kit.database.tables import events, exceptions, inbox, ledger, runs, steps, vendor_calls
from kit.inbox.outbox import SOURCE


class Moment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a correlation: instant, part of the deployment, content, outcome, and its own id."""

    at: dt.datetime
    kind: str
    what: str
    outcome: str = ""
    seconds: float | None = None
    reference: str = ""
    detail: str = ""


async def correlation_of(connection: AsyncConnection, identity: str) -> str:
    """The correlation id of a run or an exception; any other id is returned as a correlation id."""
    for table in (runs, exceptions):
        query = select(table.c.correlation_id).where(table.c.id == identity)
        if correlation := (await connection.execute(query)).scalar():
            return correlation
    return identity


async def path_of(connection: AsyncConnection, correlation_id: str) -> list[Moment]:
    """Everything under the id, in order of time."""
    moments: list[Moment] = []
    for table, read in _READERS:
        rows = await connection.execute(select(table).where(table.c.correlation_id == correlation_id))
        moments += [moment for row in rows for moment in read(row)]
    return sorted(moments, key=lambda moment: moment.at)


def _gateway(row: Any) -> Iterable[Moment]:
    caller = " for ".join(part for part in (row.consumer, row.actor) if part)
    what = f"{row.action} {row.subject}".strip()
    yield Moment(
        row.at, "audit", f"{what} by {caller}" if caller else what, row.outcome, reference=row.hash[:12]
    )


def _inbox(row: Any) -> Iterable[Moment]:
    if row.source == SOURCE:
        return  # it is among the events
    took = (row.handled_at - row.received_at).total_seconds() if row.handled_at else None
    yield Moment(row.received_at, "inbox", f"{row.type} from {row.source}", row.status, took, row.id)


def _run(row: Any) -> Iterable[Moment]:
    took = (row.finished_at - row.started_at).total_seconds() if row.finished_at else None
    yield Moment(row.started_at, "run", f"{row.flow}: {row.status_text}", row.status, took, row.id)


def _step(row: Any) -> Iterable[Moment]:
    took = (row.finished_at - row.started_at).total_seconds() if row.finished_at else None
    tries = f" (try {row.attempts})" if row.attempts > 1 else ""
    refs = ", ".join(f"{ref['instance']}/{ref['object']}/{ref['id']}" for ref in row.refs)
    yield Moment(row.started_at, "step", f"{row.title}{tries}", row.status, took, refs, row.detail)


def _call(row: Any) -> Iterable[Moment]:
    outcome = str(row.status) if row.status is not None else row.problem
    what = f"{row.instance}: {row.method} {row.template}"
    yield Moment(row.at, "vendor call", what, outcome, row.seconds, row.vendor_request_id, row.step)


def _ledger(row: Any) -> Iterable[Moment]:
    yield Moment(row.updated_at, "ledger", f"{row.target} under {row.key}", row.state, reference=row.source)


def _event(row: Any) -> Iterable[Moment]:
    yield Moment(row.time, "event", f"{row.type} {row.subject}", "published", reference=row.id)


def _exception(row: Any) -> Iterable[Moment]:
    yield Moment(row.raised_at, "exception", f"{row.stopped} {row.why}", row.status, reference=row.id)
    if row.resolved_at is not None:
        what = f"{row.resolved_by}: {row.resolution}"
        yield Moment(row.resolved_at, "resolution", what, row.action, reference=row.id)


_READERS = (
    (audit, _gateway),
    (inbox, _inbox),
    (runs, _run),
    (steps, _step),
    (vendor_calls, _call),
    (ledger, _ledger),
    (events, _event),
    (exceptions, _exception),
)
