"""The views of exceptions and of the flows' health, and events from which every view can be rebuilt.

What was known before is written as rows, and once more as events: earlier events do not have all of it.
"""

from alembic import op

revision = "process_0005"
down_revision = "process_0004"
branch_labels = None
depends_on = "kit_0010"

TABLES = """
CREATE TABLE enfilade.exception_cases (
    exception_id TEXT NOT NULL CONSTRAINT exception_cases_pkey PRIMARY KEY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    flow TEXT NOT NULL,
    subject TEXT NOT NULL,
    owner TEXT NOT NULL,
    stopped TEXT NOT NULL,
    why TEXT NOT NULL,
    what_next TEXT NOT NULL,
    raised_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    resolved_at TIMESTAMPTZ,
    workflow_id TEXT NOT NULL,
    step TEXT NOT NULL,
    entity TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    instances JSONB NOT NULL
);
CREATE INDEX exception_cases_by_age ON enfilade.exception_cases (raised_at, exception_id);
CREATE INDEX exception_cases_by_owner ON enfilade.exception_cases (owner, status, raised_at);
CREATE TABLE enfilade.flow_runs (
    workflow_id TEXT NOT NULL CONSTRAINT flow_runs_pkey PRIMARY KEY,
    flow TEXT NOT NULL,
    status TEXT NOT NULL,
    mode TEXT NOT NULL,
    entity TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    instances JSONB NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ
);
CREATE INDEX flow_runs_by_end ON enfilade.flow_runs (finished_at);
CREATE INDEX flow_runs_open ON enfilade.flow_runs (flow) WHERE finished_at IS NULL;
ALTER TABLE enfilade.accounts ADD COLUMN customer_since TIMESTAMPTZ;
ALTER TABLE enfilade.projects ADD COLUMN customer_id TEXT NOT NULL DEFAULT '';
CREATE INDEX projects_by_customer ON enfilade.projects (customer_id);
"""

ROWS = """
INSERT INTO enfilade.exception_cases
SELECT e.id, e.kind, e.status, e.flow, e.subject, e.owner, e.stopped, e.why, e.what_next, e.raised_at,
    e.due_at, e.resolved_at, e.workflow_id, e.step, coalesce(r.entity, ''), coalesce(r.customer, ''),
    coalesce(r.instances, '[]')
FROM enfilade.exceptions e LEFT JOIN enfilade.runs r ON r.id = e.workflow_id;
INSERT INTO enfilade.flow_runs
SELECT id, flow, status, mode, entity, customer, instances, started_at, due_at, finished_at
FROM enfilade.runs;
UPDATE enfilade.accounts a SET customer_since = c.updated_at
FROM enfilade.customers c WHERE c.id = a.customer_id;
UPDATE enfilade.accounts SET customer_id = NULL WHERE customer_since IS NULL;
UPDATE enfilade.projects p SET updated_at = greatest(p.updated_at, r.updated_at),
    customer_id = CASE WHEN p.document ->> 'project_id' IS NULL THEN '' ELSE r.customer END
FROM enfilade.runs r WHERE r.id = p.activation_id;
UPDATE enfilade.projects p SET document = p.document || jsonb_strip_nulls(jsonb_build_object(
    'status', p.status, 'customer_id', nullif(p.customer_id, ''), 'account_name', nullif(a.name, '')))
FROM enfilade.accounts a WHERE a.instance = p.instance AND a.account_id = p.account_id;
UPDATE enfilade.accounts a SET seen_at = coalesce(greatest(a.customer_since, (
    SELECT max(p.updated_at) FROM enfilade.projects p
    WHERE p.instance = a.instance AND p.account_id = a.account_id)), a.seen_at);
"""

# What is added to the feed: about what, and with which data; `time` is that of the row.
ADDED = """
CREATE TEMPORARY TABLE added ON COMMIT DROP AS
SELECT 'evt_' || a.instance || '_' || a.account_id || '_views' AS id, 'enfilade.customer.approved.v1' AS type,
    c.id AS key, a.customer_since AS time, coalesce(r.id, '') AS run_id,
    coalesce(r.correlation_id, '') AS correlation_id,
    jsonb_build_object('customer_id', c.id, 'legal_name', c.legal_name,
        'selling_entity', coalesce(c.document ->> 'selling_entity', ''), 'instance', a.instance,
        'account_id', a.account_id, 'account_name', a.name, 'customer', c.document) AS data
FROM enfilade.accounts a JOIN enfilade.customers c ON c.id = a.customer_id
LEFT JOIN LATERAL (SELECT id, correlation_id FROM enfilade.runs
    WHERE flow = 'customer-master' AND customer = c.id ORDER BY started_at LIMIT 1) r ON true
UNION ALL
SELECT 'evt_' || p.activation_id || '_views', 'enfilade.activation.updated.v1', p.activation_id, p.updated_at,
    p.activation_id, coalesce(r.correlation_id, ''), p.document
FROM enfilade.projects p LEFT JOIN enfilade.runs r ON r.id = p.activation_id
UNION ALL
SELECT 'evt_' || r.id || '_views_run', 'enfilade.workflow.status_changed.v1', r.id, r.updated_at, r.id,
    r.correlation_id, jsonb_strip_nulls(jsonb_build_object('workflow_id', r.id, 'flow', r.flow,
        'status', r.status, 'status_text', r.status_text, 'subject', r.subject, 'mode', r.mode,
        'entity', r.entity, 'customer', r.customer, 'instances', r.instances,
        'started_at', r.started_at, 'due_at', r.due_at, 'finished_at', r.finished_at,
        'exception_id', r.exception_id))
FROM enfilade.runs r
UNION ALL
SELECT 'evt_' || e.exception_id || '_views',
    CASE e.status WHEN 'open' THEN 'enfilade.exception.raised.v1' ELSE 'enfilade.exception.resolved.v1' END,
    e.exception_id, coalesce(e.resolved_at, e.raised_at), e.workflow_id, x.correlation_id,
    jsonb_strip_nulls(to_jsonb(e) || jsonb_build_object('customer', e.customer_id))
FROM enfilade.exception_cases e JOIN enfilade.exceptions x ON x.id = e.exception_id
"""
EVENTS = """
WITH numbered AS (
    INSERT INTO enfilade.event_sequences AS known (partitionkey, sequence)
    SELECT key, count(*) FROM added GROUP BY key
    ON CONFLICT (partitionkey) DO UPDATE SET sequence = known.sequence + excluded.sequence
    RETURNING partitionkey, sequence
)
INSERT INTO enfilade.events
    (id, source, type, subject, partitionkey, sequence, correlation_id, time, data, run_id)
SELECT a.id, '/enfilade', a.type, a.key, a.key,
    n.sequence + 1 - row_number() OVER (PARTITION BY a.key ORDER BY a.time DESC, a.id DESC),
    a.correlation_id, a.time, a.data, a.run_id
FROM added a JOIN numbered n ON n.partitionkey = a.key
ORDER BY a.time, a.id
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(ROWS)
    op.execute(ADDED)
    op.execute(EVENTS)
