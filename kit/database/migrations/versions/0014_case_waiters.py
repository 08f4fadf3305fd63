"""What waits for a case that is one for many."""

from alembic import op

revision = "kit_0014"
down_revision = "kit_0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE enfilade.case_waiters (
            waiter TEXT NOT NULL CONSTRAINT case_waiters_pkey PRIMARY KEY,
            exception_id TEXT NOT NULL
                CONSTRAINT case_waiters_exception_id_fkey
                REFERENCES enfilade.exceptions (id) ON DELETE CASCADE,
            resume JSONB NOT NULL DEFAULT '{}'
        );
        CREATE INDEX case_waiters_by_case ON enfilade.case_waiters (exception_id);
        """
    )
