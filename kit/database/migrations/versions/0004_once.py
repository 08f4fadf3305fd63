"""Names that count once."""

from alembic import op

revision = "kit_0004"
down_revision = "kit_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE enfilade.once (
            name text PRIMARY KEY,
            content jsonb NOT NULL DEFAULT '{}'::jsonb,
            spent_by text NOT NULL DEFAULT '',
            kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            until timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX once_by_expiry ON enfilade.once (until)")
