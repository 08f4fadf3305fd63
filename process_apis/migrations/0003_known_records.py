"""What we know of records at vendors, so that a change which does not say what changed can be judged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "process_0003"
down_revision = "process_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_records",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("object", sa.Text, primary_key=True),
        sa.Column("vendor_id", sa.Text, primary_key=True),
        sa.Column("fields", JSONB, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        schema="enfilade",
    )
