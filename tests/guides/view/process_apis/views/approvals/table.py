"""The approvals: one row per customer, and who may see it."""

import sqlalchemy as sa

from kit.database import metadata
from kit.database.declaring import declare
from kit.database.rows import Rows

approvals = sa.Table(
    "approvals",
    metadata,
    sa.Column("customer_id", sa.Text, primary_key=True),
    sa.Column("legal_name", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
)
declare(
    approvals,
    rows=Rows(entity=approvals.c.entity, customer=approvals.c.customer_id, instance=None, partner=None),
    retention="as long as the customer is known",
)
