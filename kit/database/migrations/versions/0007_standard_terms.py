"""Standard terms for what was named otherwise: the consumer directory, requesters, one-time values."""

from alembic import op

revision = "kit_0007"
down_revision = "kit_0006"
branch_labels = None
depends_on = None

SCHEMA = "enfilade"


def upgrade() -> None:
    op.rename_table("roster_changes", "directory_changes", schema=SCHEMA)
    op.alter_column("runs", "askers", new_column_name="requesters", schema=SCHEMA)
    op.alter_column("once", "spent_by", new_column_name="used_by", schema=SCHEMA)
    op.alter_column("once", "kept_at", new_column_name="stored_at", schema=SCHEMA)
