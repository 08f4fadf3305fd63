"""kit/audit: the tables: the trail, its chains' heads and anchors, and the refusals of each minute."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text

from kit.database.columns import document_column, instant_column, metadata, number_column, text_column
from kit.database.declaring import Expiry, declare

audit = Table(
    "audit",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    instant_column("at"),
    text_column("actor"),
    text_column("consumer"),
    Column("action", Text, nullable=False),
    text_column("subject"),
    Column("outcome", Text, nullable=False),
    document_column("detail"),
    text_column("correlation_id"),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
Index("audit_by_correlation", audit.c.correlation_id)
Index("audit_newest", audit.c.at.desc(), audit.c.chain, audit.c.seq)
Index("audit_by_actor", audit.c.actor, audit.c.at)
declare(audit, rows=None, retention="audit: under an anchor", personal=("actor", "subject"))
audit_heads = Table(
    "audit_heads",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    text_column("seal"),
)
declare(audit_heads, rows=None, retention="one row for each chain")
audit_anchors = Table(
    "audit_anchors",
    metadata,
    Column("number", BigInteger, primary_key=True),
    instant_column("at"),
    Column("previous", Text, nullable=False),
    document_column("heads"),
    Column("hash", Text, nullable=False),
    Column("seal", Text, nullable=False),
)
declare(audit_anchors, rows=None, retention="what is purged stays verifiable by its anchor")
refusals = Table(
    "refusals",
    metadata,
    Column("minute", DateTime(timezone=True), primary_key=True),
    Column("source", Text, primary_key=True),
    number_column("count"),
)
declare(refusals, rows=None, retention=Expiry("refusals", "minute"))
