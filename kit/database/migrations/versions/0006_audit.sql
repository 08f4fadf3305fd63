ALTER TABLE enfilade.audit_heads ADD COLUMN seal text DEFAULT '' NOT NULL;

CREATE TABLE enfilade.audit_anchors (
    number bigint PRIMARY KEY,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    previous text NOT NULL,
    heads jsonb DEFAULT '{}'::jsonb NOT NULL,
    hash text NOT NULL,
    seal text NOT NULL
);

CREATE TABLE enfilade.refusals (
    minute timestamp with time zone NOT NULL,
    source text NOT NULL,
    count bigint DEFAULT 0 NOT NULL,
    PRIMARY KEY (minute, source)
);

CREATE TABLE enfilade.persons (
    id text PRIMARY KEY,
    lookup text UNIQUE,
    wrapped_key bytea,
    sealed bytea,
    first_seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    erased_at timestamp with time zone
);

CREATE TABLE enfilade.holds (
    subject text PRIMARY KEY,
    reason text NOT NULL,
    held_by text NOT NULL,
    held_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE INDEX audit_newest ON enfilade.audit (at DESC, chain, seq);
CREATE INDEX audit_by_actor ON enfilade.audit (actor, at);
CREATE INDEX vendor_calls_by_age ON enfilade.vendor_calls (at);
CREATE INDEX inbox_by_age ON enfilade.inbox (handled_at);
CREATE INDEX events_by_age ON enfilade.events ("time");
CREATE INDEX runs_by_age ON enfilade.runs (finished_at);
CREATE INDEX exceptions_by_workflow ON enfilade.exceptions (workflow_id, status);
