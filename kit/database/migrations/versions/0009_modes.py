"""The mode of a run is a column of its own, and no part of its input."""

from alembic import op

revision = "kit_0009"
down_revision = "kit_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE enfilade.runs ADD COLUMN mode text NOT NULL DEFAULT 'live'")
    op.execute("UPDATE enfilade.runs SET mode = input ->> 'mode' WHERE input ? 'mode'")
