"""gateway: its tables: keys and revocations, consumers and their subscriptions, what they use."""

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from kit.database.columns import document_column, instant_column, metadata, number_column, text_column
from kit.database.declaring import Expiry, declare

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("hash", Text, nullable=False, unique=True),
    document_column("scopes", "[]"),
    text_column("title"),
    text_column("made_by"),
    instant_column("made_at"),
    instant_column("expires_at", required=False),
    instant_column("last_used_at", required=False),
    instant_column("revoked_at", required=False),
    text_column("revoked_by"),
)
Index("api_keys_by_consumer", api_keys.c.consumer, api_keys.c.made_at)
declare(api_keys, rows=None, retention="until the consumer goes", personal=("made_by", "revoked_by"))

revocations = Table(
    "revocations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    text_column("issuer"),
    instant_column("issued_before"),
    instant_column("forget_at"),
    instant_column("revoked_at"),
    text_column("revoked_by"),
    text_column("reason"),
)
Index("revocations_by_forgetting", revocations.c.forget_at)
declare(revocations, rows=None, retention="by its own expiry", personal=("revoked_by",))

# One row: raised in the transaction of every change to keys or revocations, and cheap to look at.
identity_changes = Table(
    "identity_changes",
    metadata,
    Column("one", Integer, primary_key=True),
    number_column("version"),
)
declare(identity_changes, rows=None, retention="one row")

registered_consumers = Table(
    "registered_consumers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("grants", JSONB, nullable=False),
    Column("registered_by", Text, nullable=False),
    instant_column("registered_at"),
)
declare(registered_consumers, rows=None, retention="until the consumer goes", personal=("registered_by",))

suspensions = Table(
    "suspensions",
    metadata,
    Column("consumer", Text, primary_key=True),
    text_column("reason"),
    Column("suspended_by", Text, nullable=False),
    instant_column("suspended_at"),
)
declare(suspensions, rows=None, retention="until the suspension is lifted", personal=("suspended_by",))

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("api", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("state", Text, nullable=False),
    text_column("reason"),
    Column("requested_by", Text, nullable=False),
    instant_column("requested_at"),
    text_column("decided_by"),
    instant_column("decided_at", required=False),
    Index(
        "subscriptions_in_force",
        "consumer",
        "api",
        "state",
        unique=True,
        postgresql_where=text("state IN ('requested', 'active')"),
    ),
)
declare(
    subscriptions,
    rows=None,
    retention="what was granted stays on record",
    personal=("requested_by", "decided_by"),
)

usage = Table(
    "usage",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    number_column("calls"),
    Index("usage_by_api", "api", "day"),
)
declare(usage, rows=None, retention=Expiry("usage", "day"))

quotas = Table(
    "quotas",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("api", Text, primary_key=True),
    Column("month", Date, primary_key=True),
    number_column("taken"),
)
declare(quotas, rows=None, retention=Expiry("quotas", "month"))

# One row: raised in the transaction of every change to consumers or subscriptions, and cheap to look at.
directory_changes = Table(
    "directory_changes",
    metadata,
    Column("one", Integer, primary_key=True),
    number_column("version"),
)
declare(directory_changes, rows=None, retention="one row")

page_sessions = Table(
    "page_sessions",
    metadata,
    Column("key", Text, primary_key=True),
    Column("page", Text, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    instant_column("begun_at"),
    instant_column("used_at"),
    instant_column("expires_at"),
)
Index("page_sessions_by_expiry", page_sessions.c.expires_at)
declare(page_sessions, rows=None, retention="by its own expiry")
