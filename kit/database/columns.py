"""kit/database: the schema, what is known of its tables, and the columns that most of them have."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "enfilade"
metadata = MetaData(schema=SCHEMA)


def text_column(name: str) -> Column[str]:
    """Text, empty by default."""
    return Column(name, Text, nullable=False, server_default=text("''"))


def number_column(name: str, default: int = 0) -> Column[int]:
    """A whole number."""
    return Column(name, BigInteger, nullable=False, server_default=text(str(default)))


def instant_column(name: str, *, required: bool = True) -> Column:
    """An instant: by default when the row was written, or null at first."""
    now = text("clock_timestamp()") if required else None
    return Column(name, DateTime(timezone=True), nullable=not required, server_default=now)


def document_column(name: str, empty: str = "{}") -> Column:
    """A JSON document, empty by default."""
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'::jsonb"))
