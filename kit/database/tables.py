"""kit/database: the tables of runs, events, exceptions and what every package of kit uses."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from kit.database.columns import document_column, instant_column, metadata, number_column, text_column
from kit.database.declaring import Expiry, declare
from kit.database.rows import Rows, RowsOf, any_in

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("status", Text, nullable=False),
    text_column("status_text"),
    number_column("version", 1),
    number_column("position"),
    number_column("attempt", 1),
    Column("engine_id", Text, nullable=False, unique=True),
    Column("fingerprint", Text, nullable=False),
    document_column("input"),
    document_column("data"),
    document_column("corrections"),
    Column("correlation_id", Text, nullable=False),
    text_column("subject"),
    text_column("actor"),
    document_column("requesters", "[]"),
    text_column("entity"),
    Column("mode", Text, nullable=False, server_default=text("'live'")),
    text_column("customer"),
    document_column("instances", "[]"),
    document_column("systems"),
    text_column("waits_for"),
    document_column("decisions"),
    text_column("traceparent"),
    text_column("exception_id"),
    instant_column("due_at", required=False),
    instant_column("started_at"),
    instant_column("updated_at"),
    instant_column("finished_at", required=False),
)
Index("runs_newest", runs.c.flow, runs.c.started_at.desc(), runs.c.id.desc())
Index("runs_by_correlation", runs.c.correlation_id)
Index("runs_by_age", runs.c.finished_at)
Index("runs_unfinished", runs.c.status, postgresql_where=runs.c.finished_at.is_(None))
Index("runs_waiting", runs.c.waits_for, postgresql_where=runs.c.finished_at.is_(None))
Index("runs_by_input", runs.c.input, postgresql_using="gin", postgresql_ops={"input": "jsonb_path_ops"})
declare(
    runs,
    rows=Rows(
        entity=runs.c.entity, instance=any_in(runs.c.instances), customer=runs.c.customer, partner=None
    ),
    retention="workflows: when it ended, and no open exception may start it again",
    personal=("actor", "data", "decisions", "requesters"),
)

steps = Table(
    "steps",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    number_column("attempts", 1),
    instant_column("started_at"),
    instant_column("finished_at", required=False),
    text_column("detail"),
    document_column("refs", "[]"),
    Column("correlation_id", Text, nullable=False),
)
Index("steps_by_correlation", steps.c.correlation_id)
declare(steps, rows=RowsOf(steps.c.run_id, runs), retention="workflows: with its run")

vendor_calls = Table(
    "vendor_calls",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    instant_column("at"),
    text_column("correlation_id"),
    text_column("workflow_id"),
    text_column("step"),
    Column("instance", Text, nullable=False),
    text_column("lane"),
    Column("method", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("status", Integer),
    text_column("problem"),
    text_column("vendor_request_id"),
    Column("seconds", Double, nullable=False, server_default=text("0")),
)
Index("vendor_calls_by_correlation", vendor_calls.c.correlation_id)
Index("vendor_calls_by_workflow", vendor_calls.c.workflow_id)
Index("vendor_calls_by_age", vendor_calls.c.at)
declare(vendor_calls, rows=None, retention=Expiry("vendor_calls", "at", ("workflow_id", "correlation_id")))

would_send = Table(
    "would_send",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("step", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("operation", Text, nullable=False),
    text_column("key"),
    text_column("body"),
)
declare(would_send, rows=RowsOf(would_send.c.run_id, runs), retention="workflows: with its run")

inbox = Table(
    "inbox",
    metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    document_column("data"),
    instant_column("occurred_at"),
    instant_column("received_at"),
    Column("correlation_id", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'new'")),
    number_column("attempts"),
    instant_column("next_at"),
    text_column("error"),
    text_column("exception_id"),
    instant_column("handled_at", required=False),
    UniqueConstraint("source", "id", name="inbox_seen"),
)
Index("inbox_waiting", inbox.c.key, inbox.c.seq, postgresql_where=inbox.c.status.in_(("new", "parked")))
Index("inbox_by_correlation", inbox.c.correlation_id)
Index("inbox_by_age", inbox.c.handled_at)
declare(
    inbox,
    rows=None,
    retention=Expiry("inbox", "handled_at", ("key", "correlation_id"), inbox.c.status != "parked"),
    personal=("data",),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", BigInteger, ForeignKey("enfilade.inbox.seq", ondelete="CASCADE"), primary_key=True),
    Column("subscriber", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'new'")),
    number_column("attempts"),
    instant_column("next_at"),
    text_column("error"),
    text_column("exception_id"),
)
Index(
    "deliveries_waiting",
    deliveries.c.subscriber,
    deliveries.c.key,
    deliveries.c.seq,
    postgresql_where=deliveries.c.status.in_(("new", "parked")),
)
declare(deliveries, rows=None, retention="inbox: with what is delivered")

event_positions = Sequence("event_positions", metadata=metadata)
event_sequences = Table(
    "event_sequences",
    metadata,
    Column("partitionkey", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)
declare(event_sequences, rows=None, retention="the last number of a key is never given again")
events = Table(
    "events",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("position", BigInteger, unique=True),
    Column("source", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("partitionkey", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("correlation_id", Text, nullable=False),
    instant_column("time"),
    document_column("data"),
    text_column("dataschema"),
    text_column("run_id"),
    UniqueConstraint("partitionkey", "sequence", name="events_in_order"),
)
Index("events_unplaced", events.c.number, postgresql_where=events.c.position.is_(None))
Index("events_by_correlation", events.c.correlation_id)
Index("events_by_age", events.c.time)
declare(
    events,
    rows=RowsOf(events.c.run_id, runs),
    retention=Expiry(
        "events", "time", ("subject", "partitionkey", "correlation_id"), events.c.position.is_not(None)
    ),
    personal=("data",),
)

ledger = Table(
    "ledger",
    metadata,
    Column("source", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", JSONB),
    number_column("attempts"),
    instant_column("sent_at", required=False),
    instant_column("created_at"),
    instant_column("updated_at"),
    text_column("correlation_id"),
    text_column("workflow_id"),
)
declare(
    ledger,
    rows=None,
    retention=Expiry(
        "ledger",
        "updated_at",
        ("source", "workflow_id", "correlation_id"),
        ledger.c.state.in_(("done", "undone")),
    ),
)

crossrefs = Table(
    "crossrefs",
    metadata,
    Column("instance", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("vendor_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    text_column("url"),
    instant_column("created_at"),
    instant_column("updated_at"),
)
Index("crossrefs_by_id", crossrefs.c.id)
declare(crossrefs, rows=None, retention="as long as the object is known in any system")

exceptions = Table(
    "exceptions",
    metadata,
    Column("id", Text, primary_key=True),
    number_column("version", 1),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'open'")),
    Column("flow", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("stopped", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("what_next", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    instant_column("raised_at"),
    instant_column("due_at"),
    text_column("workflow_id"),
    text_column("step"),
    text_column("reason"),
    document_column("errors", "[]"),
    document_column("before"),
    document_column("after"),
    text_column("caused_by"),
    document_column("resume"),
    text_column("action"),
    document_column("corrections"),
    instant_column("resolved_at", required=False),
    text_column("resolved_by"),
    text_column("resolution"),
)
Index("exceptions_oldest", exceptions.c.status, exceptions.c.raised_at, exceptions.c.id)
Index("exceptions_by_correlation", exceptions.c.correlation_id)
Index(
    "exceptions_alike",
    exceptions.c.flow,
    exceptions.c.step,
    exceptions.c.reason,
    exceptions.c.raised_at,
    postgresql_where=(exceptions.c.status == "open") & (exceptions.c.reason != ""),
)
Index("exceptions_by_workflow", exceptions.c.workflow_id, exceptions.c.status)
declare(
    exceptions,
    rows=RowsOf(exceptions.c.workflow_id, runs),
    retention=Expiry(
        "decisions",
        "resolved_at",
        ("id", "subject", "workflow_id", "correlation_id", "caused_by", "resolved_by"),
        exceptions.c.status != "open",
    ),
    personal=("caused_by", "resolved_by"),
)

case_waiters = Table(
    "case_waiters",
    metadata,
    Column("waiter", Text, primary_key=True),
    Column("exception_id", Text, ForeignKey("enfilade.exceptions.id", ondelete="CASCADE"), nullable=False),
    document_column("resume"),
)
Index("case_waiters_by_case", case_waiters.c.exception_id)
declare(case_waiters, rows=None, retention="decisions: with the case for which it waits")

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("status", Integer),
    document_column("headers"),
    Column("body", LargeBinary),
    instant_column("reserved_at"),
    instant_column("expires_at"),
)
Index("idempotency_keys_by_expiry", idempotency_keys.c.expires_at)
declare(idempotency_keys, rows=None, retention="by its own expiry", personal=("body",))

due = Table(
    "due",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    instant_column("due_at"),
    instant_column("breached_at", required=False),
)
Index("due_next", due.c.due_at, postgresql_where=due.c.breached_at.is_(None))
declare(due, rows=None, retention="until what is due is done")

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    instant_column("updated_at"),
)
declare(cursors, rows=None, retention="one row for each reader")

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    instant_column("taken_at"),
)
declare(leases, rows=None, retention="one row for each lease")

once = Table(
    "once",
    metadata,
    Column("name", Text, primary_key=True),
    document_column("content"),
    text_column("used_by"),
    instant_column("stored_at"),
    Column("until", DateTime(timezone=True), nullable=False),
)
Index("once_by_expiry", once.c.until)
declare(once, rows=None, retention="by its own expiry")
