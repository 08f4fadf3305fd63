"""The view of approvals."""

from alembic import op

revision = "process_0900"
down_revision = "process_0005"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE enfilade.approvals (
    customer_id TEXT NOT NULL CONSTRAINT approvals_pkey PRIMARY KEY,
    legal_name TEXT NOT NULL,
    entity TEXT NOT NULL,
    approved_at TIMESTAMPTZ NOT NULL
)
"""
ROWS = """
INSERT INTO enfilade.approvals
SELECT DISTINCT ON (data ->> 'customer_id')
    data ->> 'customer_id', data ->> 'legal_name', data ->> 'selling_entity', time
FROM enfilade.events WHERE type = 'enfilade.customer.approved.v1'
ORDER BY data ->> 'customer_id', number DESC
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(ROWS)
