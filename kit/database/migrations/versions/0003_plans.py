"""Registered consumers, suspensions, subscriptions, usage and quotas, and the mark that tells of a change."""

from pathlib import Path

from alembic import op

revision = "kit_0003"
down_revision = "kit_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in Path(__file__).with_suffix(".sql").read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            op.execute(statement)
