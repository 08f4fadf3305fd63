CREATE TABLE enfilade.api_keys (
    id TEXT NOT NULL,
    consumer TEXT NOT NULL,
    kind TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL,
    scopes JSONB DEFAULT '[]'::jsonb NOT NULL,
    title TEXT DEFAULT '' NOT NULL,
    made_by TEXT DEFAULT '' NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_by TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (hash)
);
CREATE INDEX api_keys_by_consumer ON enfilade.api_keys (consumer, made_at);
CREATE TABLE enfilade.revocations (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT DEFAULT '' NOT NULL,
    issued_before TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    forget_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    revoked_by TEXT DEFAULT '' NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX revocations_by_forgetting ON enfilade.revocations (forget_at);
CREATE TABLE enfilade.identity_changes (
    one INTEGER NOT NULL,
    version BIGINT DEFAULT 0 NOT NULL,
    PRIMARY KEY (one)
);
INSERT INTO enfilade.identity_changes (one, version) VALUES (1, 0);
