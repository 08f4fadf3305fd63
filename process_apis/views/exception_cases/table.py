"""The exception cases: one row per exception, and who may see it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from kit.database import metadata
from kit.database.declaring import Expiry, declare
from kit.database.rows import Rows, any_in

exception_cases = sa.Table(
    "exception_cases",
    metadata,
    sa.Column("exception_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("stopped", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("what_next", sa.Text, nullable=False),
    sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("resolved_at", sa.DateTime(timezone=True)),
    sa.Column("workflow_id", sa.Text, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Text, nullable=False),
    sa.Column("instances", JSONB, nullable=False),
    sa.Index("exception_cases_by_age", "raised_at", "exception_id"),
    sa.Index("exception_cases_by_owner", "owner", "status", "raised_at"),
)

declare(
    exception_cases,
    rows=Rows(
        entity=exception_cases.c.entity,
        instance=any_in(exception_cases.c.instances),
        customer=exception_cases.c.customer_id,
        partner=None,
    ),
    retention=Expiry("events", "resolved_at", ("exception_id", "subject", "workflow_id")),
)
