"""Whose rows they are: the legal entity of a run, and the run that an event tells of."""

import sqlalchemy as sa
from alembic import op

revision = "kit_0008"
down_revision = "kit_0007"
branch_labels = None
depends_on = None

SCHEMA = "enfilade"


def upgrade() -> None:
    for table, column in (("runs", "entity"), ("events", "run_id")):
        op.add_column(table, sa.Column(column, sa.Text, nullable=False, server_default=""), schema=SCHEMA)
