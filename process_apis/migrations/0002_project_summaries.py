"""The table of projects as the screens read them has the name of what it holds."""

from alembic import op

revision = "process_0002"
down_revision = "process_0001"
branch_labels = None
depends_on = None

SCHEMA = "enfilade"


def upgrade() -> None:
    op.rename_table("engagements", "project_summaries", schema=SCHEMA)
    op.execute("ALTER INDEX enfilade.engagements_pkey RENAME TO project_summaries_pkey")
    op.execute("ALTER INDEX enfilade.engagements_by_account RENAME TO project_summaries_by_account")
