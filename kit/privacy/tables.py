"""kit/privacy: the tables: people under their pseudonyms, and whose data is on hold."""

from sqlalchemy import Column, LargeBinary, Table, Text

from kit.database.columns import instant_column, metadata
from kit.database.declaring import declare

persons = Table(
    "persons",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lookup", Text, unique=True),
    Column("wrapped_key", LargeBinary),
    Column("sealed", LargeBinary),
    instant_column("first_seen_at"),
    instant_column("seen_at"),
    instant_column("erased_at", required=False),
)
declare(
    persons,
    rows=None,
    retention="people: the key is destroyed, the pseudonym stays",
    personal=("id", "sealed"),
)
holds = Table(
    "holds",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("held_by", Text, nullable=False),
    instant_column("held_at"),
)
declare(holds, rows=None, retention="until the hold is lifted", personal=("subject", "held_by"))
