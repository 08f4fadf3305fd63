"""Secrets that vendors hand out (rotated refresh tokens, webhooks' secrets), sealed."""

from alembic import op

revision = "kit_0013"
down_revision = "kit_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE enfilade.stored_secrets (
            name TEXT NOT NULL,
            wrapped_key BYTEA NOT NULL,
            sealed BYTEA NOT NULL,
            updated_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT stored_secrets_pkey PRIMARY KEY (name)
        )
        """
    )
