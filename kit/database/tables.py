"""kit/database: every table of kit, in the schema `enfilade`."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "enfilade"
metadata = MetaData(schema=SCHEMA)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


def _number(name: str, default: int = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text(str(default)))


def _instant(name: str, *, required: bool = True) -> Column:
    now = text("clock_timestamp()") if required else None
    return Column(name, DateTime(timezone=True), nullable=not required, server_default=now)


def _document(name: str, empty: str = "{}") -> Column:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'::jsonb"))


runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("status", Text, nullable=False),
    _text("status_text"),
    _number("version", 1),
    _number("position"),
    _number("attempt", 1),
    Column("engine_id", Text, nullable=False, unique=True),
    Column("fingerprint", Text, nullable=False),
    _document("input"),
    _document("data"),
    _document("corrections"),
    Column("correlation_id", Text, nullable=False),
    _text("subject"),
    _text("actor"),
    _document("requesters", "[]"),
    _text("entity"),
    Column("mode", Text, nullable=False, server_default=text("'live'")),
    _text("customer"),
    _document("instances", "[]"),
    _document("systems"),
    _text("waits_for"),
    _document("decisions"),
    _text("traceparent"),
    _text("exception_id"),
    _instant("due_at", required=False),
    _instant("started_at"),
    _instant("updated_at"),
    _instant("finished_at", required=False),
)
Index("runs_newest", runs.c.flow, runs.c.started_at.desc(), runs.c.id.desc())
Index("runs_by_correlation", runs.c.correlation_id)
Index("runs_by_age", runs.c.finished_at)
Index("runs_unfinished", runs.c.status, postgresql_where=runs.c.finished_at.is_(None))
Index("runs_waiting", runs.c.waits_for, postgresql_where=runs.c.finished_at.is_(None))
Index("runs_by_input", runs.c.input, postgresql_using="gin", postgresql_ops={"input": "jsonb_path_ops"})

steps = Table(
    "steps",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    _number("attempts", 1),
    _instant("started_at"),
    _instant("finished_at", required=False),
    _text("detail"),
    _document("refs", "[]"),
    Column("correlation_id", Text, nullable=False),
)
Index("steps_by_correlation", steps.c.correlation_id)

vendor_calls = Table(
    "vendor_calls",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    _instant("at"),
    _text("correlation_id"),
    _text("workflow_id"),
    _text("step"),
    Column("instance", Text, nullable=False),
    _text("lane"),
    Column("method", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("status", Integer),
    _text("problem"),
    _text("vendor_request_id"),
    Column("seconds", Double, nullable=False, server_default=text("0")),
)
Index("vendor_calls_by_correlation", vendor_calls.c.correlation_id)
Index("vendor_calls_by_workflow", vendor_calls.c.workflow_id)
Index("vendor_calls_by_age", vendor_calls.c.at)

would_send = Table(
    "would_send",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("step", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("operation", Text, nullable=False),
    _text("key"),
    _text("body"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("key", Text, nullable=False),
    _document("data"),
    _instant("occurred_at"),
    _instant("received_at"),
    Column("correlation_id", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'new'")),
    _number("attempts"),
    _instant("next_at"),
    _text("error"),
    _text("exception_id"),
    _instant("handled_at", required=False),
    UniqueConstraint("source", "id", name="inbox_seen"),
)
Index("inbox_waiting", inbox.c.key, inbox.c.seq, postgresql_where=inbox.c.status.in_(("new", "parked")))
Index("inbox_by_correlation", inbox.c.correlation_id)
Index("inbox_by_age", inbox.c.handled_at)

deliveries = Table(
    "deliveries",
    metadata,
    Column("seq", BigInteger, ForeignKey("enfilade.inbox.seq", ondelete="CASCADE"), primary_key=True),
    Column("subscriber", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'new'")),
    _number("attempts"),
    _instant("next_at"),
    _text("error"),
    _text("exception_id"),
)
Index(
    "deliveries_waiting",
    deliveries.c.subscriber,
    deliveries.c.key,
    deliveries.c.seq,
    postgresql_where=deliveries.c.status.in_(("new", "parked")),
)

event_positions = Sequence("event_positions", metadata=metadata)
event_sequences = Table(
    "event_sequences",
    metadata,
    Column("partitionkey", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)
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
    _instant("time"),
    _document("data"),
    _text("dataschema"),
    _text("run_id"),
    UniqueConstraint("partitionkey", "sequence", name="events_in_order"),
)
Index("events_unplaced", events.c.number, postgresql_where=events.c.position.is_(None))
Index("events_by_correlation", events.c.correlation_id)
Index("events_by_age", events.c.time)

ledger = Table(
    "ledger",
    metadata,
    Column("source", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", JSONB),
    _number("attempts"),
    _instant("sent_at", required=False),
    _instant("created_at"),
    _instant("updated_at"),
    _text("correlation_id"),
    _text("workflow_id"),
)

crossrefs = Table(
    "crossrefs",
    metadata,
    Column("instance", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("vendor_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    _text("url"),
    _instant("created_at"),
    _instant("updated_at"),
)
Index("crossrefs_by_id", crossrefs.c.id)

exceptions = Table(
    "exceptions",
    metadata,
    Column("id", Text, primary_key=True),
    _number("version", 1),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False, server_default=text("'open'")),
    Column("flow", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("stopped", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("what_next", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    _instant("raised_at"),
    _instant("due_at"),
    _text("workflow_id"),
    _text("step"),
    _document("errors", "[]"),
    _document("before"),
    _document("after"),
    _text("caused_by"),
    _document("resume"),
    _text("action"),
    _document("corrections"),
    _instant("resolved_at", required=False),
    _text("resolved_by"),
    _text("resolution"),
)
Index("exceptions_oldest", exceptions.c.status, exceptions.c.raised_at, exceptions.c.id)
Index("exceptions_by_correlation", exceptions.c.correlation_id)
Index("exceptions_by_workflow", exceptions.c.workflow_id, exceptions.c.status)

audit = Table(
    "audit",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    _instant("at"),
    _text("actor"),
    _text("consumer"),
    Column("action", Text, nullable=False),
    _text("subject"),
    Column("outcome", Text, nullable=False),
    _document("detail"),
    _text("correlation_id"),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
Index("audit_by_correlation", audit.c.correlation_id)
Index("audit_newest", audit.c.at.desc(), audit.c.chain, audit.c.seq)
Index("audit_by_actor", audit.c.actor, audit.c.at)
audit_heads = Table(
    "audit_heads",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    _text("seal"),
)
audit_anchors = Table(
    "audit_anchors",
    metadata,
    Column("number", BigInteger, primary_key=True),
    _instant("at"),
    Column("previous", Text, nullable=False),
    _document("heads"),
    Column("hash", Text, nullable=False),
    Column("seal", Text, nullable=False),
)
refusals = Table(
    "refusals",
    metadata,
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("source", Text, primary_key=True),
    _number("count"),
)

persons = Table(
    "persons",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lookup", Text, unique=True),
    Column("wrapped_key", LargeBinary),
    Column("sealed", LargeBinary),
    _instant("first_seen_at"),
    _instant("seen_at"),
    _instant("erased_at", required=False),
)
holds = Table(
    "holds",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    _instant("held_at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("status", Integer),
    _document("headers"),
    Column("body", LargeBinary),
    _instant("reserved_at"),
    _instant("expires_at"),
)
Index("idempotency_keys_by_expiry", idempotency_keys.c.expires_at)

due = Table(
    "due",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    _instant("due_at"),
    _instant("breached_at", required=False),
)
Index("due_next", due.c.due_at, postgresql_where=due.c.breached_at.is_(None))

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    _instant("updated_at"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    _instant("taken_at"),
)

once = Table(
    "once",
    metadata,
    Column("name", Text, primary_key=True),
    _document("content"),
    _text("used_by"),
    _instant("stored_at"),
    Column("until", DateTime(timezone=True), nullable=False),
)
Index("once_by_expiry", once.c.until)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    _document("scopes", "[]"),
    _text("title"),
    _text("made_by"),
    _instant("made_at"),
    _instant("expires_at", required=False),
    _instant("last_used_at", required=False),
    _instant("revoked_at", required=False),
    _text("revoked_by"),
)
Index("api_keys_by_consumer", api_keys.c.consumer, api_keys.c.made_at)

revocations = Table(
    "revocations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    _text("issuer"),
    _instant("issued_before"),
    _instant("forget_at"),
    _instant("revoked_at"),
    _text("revoked_by"),
    _text("reason"),
)
Index("revocations_by_forgetting", revocations.c.forget_at)

# One row: raised in the transaction of every change to keys or revocations, and cheap to look at.
identity_changes = Table(
    "identity_changes",
    metadata,
    Column("one", Integer, primary_key=True),
    _number("version"),
)

registered_consumers = Table(
    "registered_consumers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("grants", JSONB, nullable=False),
    Column("registered_by", Text, nullable=False),
    _instant("registered_at"),
)

suspensions = Table(
    "suspensions",
    metadata,
    Column("consumer", Text, primary_key=True),
    _text("reason"),
    Column("suspended_by", Text, nullable=False),
    _instant("suspended_at"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("api", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("reason"),
    Column("requested_by", Text, nullable=False),
    _instant("requested_at"),
    _text("decided_by"),
    _instant("decided_at", required=False),
    Index(
        "subscriptions_in_force",
        "consumer",
        "api",
        "state",
        unique=True,
        postgresql_where=text("state IN ('requested', 'active')"),
    ),
)

usage = Table(
    "usage",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    _number("calls"),
    Index("usage_by_api", "api", "day"),
)

quotas = Table(
    "quotas",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    _number("taken"),
)

# One row: raised in the transaction of every change to consumers or subscriptions, and cheap to look at.
directory_changes = Table(
    "directory_changes",
    metadata,
    Column("one", Integer, primary_key=True),
    _number("version"),
)
