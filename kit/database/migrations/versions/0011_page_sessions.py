"""The sessions of people who signed in to page bundles, with their tokens, encrypted."""

from alembic import op

revision = "kit_0011"
down_revision = "kit_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE enfilade.page_sessions ("
        "key text PRIMARY KEY, page text NOT NULL, consumer text NOT NULL, sealed bytea NOT NULL,"
        " begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
        " used_at timestamptz NOT NULL DEFAULT clock_timestamp(),"
        " expires_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    op.execute("CREATE INDEX page_sessions_by_expiry ON enfilade.page_sessions (expires_at)")
