"""One delivery per event and subscriber: one that fails holds back its own subscriber only."""

from alembic import op

revision = "kit_0008"
down_revision = "kit_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE enfilade.deliveries (
            seq BIGINT NOT NULL REFERENCES enfilade.inbox (seq) ON DELETE CASCADE,
            subscriber TEXT NOT NULL,
            key TEXT NOT NULL,
            status TEXT NOT NULL DEFAULT 'new',
            attempts BIGINT NOT NULL DEFAULT 0,
            next_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
            error TEXT NOT NULL DEFAULT '',
            exception_id TEXT NOT NULL DEFAULT '',
            CONSTRAINT deliveries_pkey PRIMARY KEY (seq, subscriber)
        )
        """
    )
    op.execute(
        "CREATE INDEX deliveries_waiting ON enfilade.deliveries (subscriber, key, seq)"
        " WHERE status IN ('new', 'parked')"
    )
