CREATE TABLE enfilade.registered_consumers (
    name TEXT NOT NULL,
    grants JSONB NOT NULL,
    registered_by TEXT NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE enfilade.suspensions (
    consumer TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    suspended_by TEXT NOT NULL,
    suspended_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (consumer)
);
CREATE TABLE enfilade.subscriptions (
    id TEXT NOT NULL,
    consumer TEXT NOT NULL,
    api TEXT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    decided_by TEXT DEFAULT '' NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX subscriptions_in_force ON enfilade.subscriptions (consumer, api, state)
    WHERE state IN ('requested', 'active');
CREATE TABLE enfilade.usage (
    consumer TEXT NOT NULL,
    api TEXT NOT NULL,
    day DATE NOT NULL,
    calls BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (consumer, api, day)
);
CREATE INDEX usage_by_api ON enfilade.usage (api, day);
CREATE TABLE enfilade.quotas (
    consumer TEXT NOT NULL,
    api TEXT NOT NULL,
    month DATE NOT NULL,
    taken BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (consumer, api, month)
);
CREATE TABLE enfilade.roster_changes (
    one INTEGER NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (one)
);
INSERT INTO enfilade.roster_changes (one, version) VALUES (1, 0);
