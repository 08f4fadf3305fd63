"""The runs that are counted: one row per run of a flow, and who may see it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from kit.database import metadata
from kit.database.declaring import Expiry, declare
from kit.database.rows import Rows, any_in

flow_runs = sa.Table(
    "flow_runs",
    metadata,
    sa.Column("workflow_id", sa.Text, primary_key=True),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("customer_id", sa.Text, nullable=False),
    sa.Column("instances", JSONB, nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("due_at", sa.DateTime(timezone=True)),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Index("flow_runs_by_end", "finished_at"),
)
sa.Index("flow_runs_open", flow_runs.c.flow, postgresql_where=flow_runs.c.finished_at.is_(None))

declare(
    flow_runs,
    rows=Rows(
        entity=flow_runs.c.entity,
        instance=any_in(flow_runs.c.instances),
        customer=flow_runs.c.customer_id,
        partner=None,
    ),
    retention=Expiry("events", "finished_at", ("workflow_id",)),
)
