"""The view of projects, by deal; what was shown before becomes rows, and events from which they are rebuilt.

A status is that of the run: only the good end of one was ever shown.
"""

from alembic import op

revision = "process_0004"
down_revision = "process_0003"
branch_labels = None
depends_on = "kit_0010"

TABLE = """
CREATE TABLE enfilade.projects (
    instance TEXT NOT NULL,
    opportunity_id TEXT NOT NULL,
    activation_id TEXT NOT NULL CONSTRAINT projects_activation UNIQUE,
    account_id TEXT NOT NULL,
    entity TEXT NOT NULL,
    status TEXT NOT NULL,
    document JSONB NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT projects_pkey PRIMARY KEY (instance, opportunity_id)
)
"""
ROWS = """
INSERT INTO enfilade.projects
SELECT DISTINCT ON (s.instance, s.opportunity_id)
    s.instance, s.opportunity_id, s.activation_id, s.account_id,
    coalesce(s.document ->> 'selling_entity', r.entity, ''),
    coalesce(r.status, s.status),
    (s.document - 'opportunity_name') || jsonb_strip_nulls(jsonb_build_object(
        'activation_id', s.activation_id, 'status', coalesce(r.status, s.status), 'instance', s.instance,
        'opportunity_id', s.opportunity_id, 'account_id', s.account_id,
        'name', s.document ->> 'opportunity_name',
        'selling_entity', nullif(coalesce(s.document ->> 'selling_entity', r.entity, ''), '')
    )),
    greatest(s.updated_at, r.updated_at)
FROM enfilade.project_summaries s LEFT JOIN enfilade.runs r ON r.id = s.activation_id
ORDER BY s.instance, s.opportunity_id, s.updated_at DESC
"""
EVENTS = """
WITH numbered AS (
    INSERT INTO enfilade.event_sequences AS known (partitionkey, sequence)
    SELECT activation_id, 1 FROM enfilade.projects
    ON CONFLICT (partitionkey) DO UPDATE SET sequence = known.sequence + 1
    RETURNING partitionkey, sequence
)
INSERT INTO enfilade.events
    (id, source, type, subject, partitionkey, sequence, correlation_id, time, data, run_id)
SELECT 'evt_' || p.activation_id || '_projects', '/enfilade', 'enfilade.activation.updated.v1',
    p.activation_id, p.activation_id, n.sequence, coalesce(r.correlation_id, ''), p.updated_at, p.document,
    p.activation_id
FROM enfilade.projects p
JOIN numbered n ON n.partitionkey = p.activation_id
LEFT JOIN enfilade.runs r ON r.id = p.activation_id
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("CREATE INDEX projects_by_account ON enfilade.projects (instance, account_id)")
    op.execute(ROWS)
    op.execute(EVENTS)
    op.execute("DROP TABLE enfilade.project_summaries")
