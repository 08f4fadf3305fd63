"""Whose rows they are: a run's legal entity, who asked for it, and the run that an event tells of."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "kit_0005"
down_revision = "kit_0004"
branch_labels = None
depends_on = None

SCHEMA = "enfilade"


def upgrade() -> None:
    for table, column in (("runs", "entity"), ("events", "run_id")):
        op.add_column(table, sa.Column(column, sa.Text, nullable=False, server_default=""), schema=SCHEMA)
    askers = sa.Column("askers", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb"))
    op.add_column("runs", askers, schema=SCHEMA)
