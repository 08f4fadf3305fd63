"""What accounts were when they were approved as customers, so that later deals are compared with it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "process_0006"
down_revision = "process_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approved_customers",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("entity", sa.Text, primary_key=True),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        schema="enfilade",
    )
