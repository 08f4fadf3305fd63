"""The read models: accounts, customers and engagements."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "process_0001"
down_revision = None
branch_labels = ("process",)
depends_on = None

SCHEMA = "enfilade"


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "accounts",
        sa.Column("instance", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, server_default=""),
        sa.Column("customer_id", sa.Text),
        sa.Column("seen_at", instant, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("accounts_by_customer", "accounts", ["customer_id"], schema=SCHEMA)
    op.create_table(
        "customers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("legal_name", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "engagements",
        sa.Column("activation_id", sa.Text, primary_key=True),
        sa.Column("instance", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("opportunity_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("engagements_by_account", "engagements", ["instance", "account_id"], schema=SCHEMA)
