-- The schema of cloud-api on PostgreSQL, to be read. The migrations in cloud-api/migrations/postgres make exactly this;
-- a test fails when the two differ. SQLite has the same tables, with ids as text and times as UTC milliseconds.
--
-- users            people, with their newest tracking consent
-- consents         every consent given and withdrawn
-- sessions         sign-ins; of the refresh tokens the one used last and its successor
-- devices          machines that minutes came from
-- one_time_tokens  links that set a new password
-- blink_data       one row for each minute of each device, in partitions by UTC month
-- blink_rollups    sums of quarter hours, for hours, days and weeks in any time zone
-- sign_in_attempts how often signing in was tried, by keyed hashes of account and address
-- signing_keys     keys that sign tokens, sealed with the master key

CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT,
    timezone TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('member', 'kiosk', 'manager', 'admin')),
    password_hash TEXT,
    tracking_consent BOOLEAN NOT NULL,
    awaits_consent BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE consents (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('tracking', 'team', 'biometric')),
    version TEXT NOT NULL,
    granted BOOLEAN NOT NULL,
    at TIMESTAMPTZ NOT NULL
);

CREATE INDEX consents_by_user ON consents (user_id, kind, at);

CREATE TABLE sessions (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    user_agent TEXT,
    signed_in_at TIMESTAMPTZ NOT NULL,
    refreshed_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_token UUID,
    next_token UUID NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE devices (
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id UUID NOT NULL,
    session_id UUID,
    first_seen_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, device_id)
);

-- One-time links; of a token only its SHA-256 is kept.
CREATE TABLE one_time_tokens (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX one_time_tokens_by_user ON one_time_tokens (user_id);

-- `id` names the record and never decides identity: that is (user_id, device_id, from_timestamp).
-- No foreign key to users: ingest locks the person's row in the statement that stores the minutes, once for a batch
-- and not once for a row, and erasure deletes from here by name.
CREATE TABLE blink_data (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    blink_count INTEGER NOT NULL,
    from_timestamp TIMESTAMPTZ NOT NULL,
    to_timestamp TIMESTAMPTZ NOT NULL,
    device_id UUID NOT NULL,
    observed_ms INTEGER NOT NULL,
    mean_fps DOUBLE PRECISION NOT NULL,
    quality TEXT NOT NULL CHECK (quality IN ('good', 'insufficient')),
    mean_blink_ms DOUBLE PRECISION,
    incomplete_share DOUBLE PRECISION,
    perclos DOUBLE PRECISION,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, from_timestamp, device_id)
) PARTITION BY RANGE (from_timestamp);

-- Sums of a quarter of an hour, kept by the statement that stores the minutes: every modern time zone's offset is a
-- multiple of it, so hours, days and weeks of any zone are sums of these.
CREATE TABLE blink_rollups (
    user_id UUID NOT NULL,
    slot_from TIMESTAMPTZ NOT NULL,
    blink_count BIGINT NOT NULL,
    observed_ms BIGINT NOT NULL,
    minutes INTEGER NOT NULL,
    PRIMARY KEY (user_id, slot_from)
);

-- Makes the partition of the UTC month that holds `instant`, once, whoever else is trying.
CREATE FUNCTION ensure_blink_partition(instant TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    month_from TIMESTAMPTZ := date_trunc('month', instant, 'UTC');
    month_to TIMESTAMPTZ := date_trunc('month', month_from + INTERVAL '32 days', 'UTC');
    part TEXT := 'blink_data_' || to_char(month_from AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('blink_data_partitions'));
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF blink_data FOR VALUES FROM (%L) TO (%L)', part, month_from, month_to
    );
END
$$;

-- Keys that sign tokens. `secret` is sealed with the master key where `sealed` says so.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL,
    secret BYTEA NOT NULL,
    sealed BOOLEAN NOT NULL
);

-- Sign-in attempts of an address or an account; `key` is a keyed hash of it.
CREATE TABLE sign_in_attempts (
    key BYTEA NOT NULL PRIMARY KEY,
    window_from TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL
);
