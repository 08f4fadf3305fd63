"""kit/postings: the tables: one row for each record, one for each batch with its checkpoint."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from kit.database.columns import document_column, instant_column, metadata, number_column, text_column
from kit.database.declaring import Expiry, declare
from kit.database.rows import Rows, RowsOf
from kit.database.tables import runs

postings = Table(
    "postings",
    metadata,
    Column("source", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("number", BigInteger, Identity(), nullable=False, unique=True),
    Column("key", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("instance", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'gathered'")),
    document_column("body"),
    document_column("corrections"),
    text_column("entity"),
    text_column("customer"),
    text_column("actor"),
    text_column("correlation_id"),
    text_column("batch_id"),
    number_column("attempts"),
    text_column("reason"),
    text_column("detail"),
    text_column("exception_id"),
    Column("result", JSONB),
    instant_column("gathered_at"),
    instant_column("sent_at", required=False),
    instant_column("updated_at"),
    UniqueConstraint("target", "key", name="postings_by_key"),
)
Index(
    "postings_unsettled",
    postings.c.flow,
    postings.c.state,
    postings.c.number,
    postgresql_where=postings.c.state.in_(("gathered", "claimed", "sent", "doubtful")),
)
Index("postings_by_batch", postings.c.batch_id)
Index("postings_by_correlation", postings.c.correlation_id)
declare(
    postings,
    rows=Rows(
        entity=postings.c.entity, instance=postings.c.instance, customer=postings.c.customer, partner=None
    ),
    retention=Expiry(
        "ledger",
        "updated_at",
        ("source", "batch_id", "correlation_id"),
        postings.c.state.in_(("done", "skipped", "observed")),
    ),
    personal=("actor", "body"),
)

batches = Table(
    "posting_batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("target", Text, nullable=False),
    number_column("records"),
    document_column("totals"),
    text_column("exception_id"),
    instant_column("opened_at"),
    instant_column("closed_at", required=False),
)
Index("posting_batches_by_age", batches.c.closed_at)
declare(
    batches,
    rows=RowsOf(batches.c.id, runs),
    retention=Expiry("ledger", "closed_at", ("id",)),
)
