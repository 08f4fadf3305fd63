"""The projects: one row per deal, and who may see it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from kit.database.rows import Bounds

projects = sa.Table(
    "projects",
    sa.MetaData(schema="enfilade"),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("opportunity_id", sa.Text, primary_key=True),
    sa.Column("activation_id", sa.Text, nullable=False, unique=True),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("projects_by_account", "instance", "account_id"),
)


def own_projects(bound: Bounds) -> list[sa.ColumnElement[bool]]:
    """Which projects of an account in one of its instances who is bound may see."""
    return [] if bound.entities is None else [projects.c.entity.in_(bound.entities)]
