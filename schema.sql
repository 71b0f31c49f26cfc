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
-- teams            whose they are, and whose weeks they have
-- team_members     people in teams, and invited ones
-- team_weeks       the one figure of a closed week
-- device_codes     trays that wait to be signed in from a browser
-- oidc_identities  people as a sign-in provider knows them
-- oidc_logins      sign-ins on their way through the provider
-- signing_keys     keys that sign tokens, sealed with the master key
-- archive_keys     a key for each person, sealed with the master key, that opens what the archive holds of them
-- archive_queue    batches on their way into the archive
-- archive_objects  objects of the archive
-- archive_removals objects that must go
-- erasures         receipts of erasures, in figures
-- housekeeping     when retention last ran, since when the clock is doubted, when the attendance desk last worked
-- attendance_people people of the attendance desk, with or without an account
-- attendance_gallery the number of the last change to the encodings
-- attendance_encodings faces as numbers, sealed with a key of each person
-- attendance_consents consents to biometrics, and who took them
-- attendance_records one for each person and day
-- attendance_corrections what managers changed, and why
-- attendance_refusals days on which a person tried and was refused
-- attendance_outages days on which the desk did not work
-- attendance_challenges challenges that were given out, each for one use
-- attendance_months what stands for a person's days, packed by month

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
    user_agent TEXT,
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

-- Sums of a quarter of an hour, kept in the transaction that stores the minutes: every modern time zone's offset is a
-- multiple of it, so hours, days and weeks of any zone are sums of these.
CREATE TABLE blink_rollups (
    user_id UUID NOT NULL,
    slot_from TIMESTAMPTZ NOT NULL,
    blink_count BIGINT NOT NULL,
    observed_ms BIGINT NOT NULL,
    minutes INTEGER NOT NULL,
    PRIMARY KEY (user_id, slot_from)
);

-- Makes the partition of the UTC month that holds `instant`, once, whoever else is trying. Attached afterwards, because
-- CREATE .. PARTITION OF would wait for everybody who reads the table, and everybody else for it. Whether it is there is
-- read from the catalogue's rows: to_regclass may answer from what the session knew before it waited for the lock, and a
-- partition that another had made meanwhile would be dropped with its minutes.
CREATE FUNCTION ensure_blink_partition(instant TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    month_from TIMESTAMPTZ := date_trunc('month', instant, 'UTC');
    month_to TIMESTAMPTZ := date_trunc('month', month_from + INTERVAL '32 days', 'UTC');
    home OID := (SELECT relnamespace FROM pg_class WHERE oid = 'blink_data'::regclass);
    part TEXT := 'blink_data_' || to_char(month_from AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relname = part AND relnamespace = home) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('blink_data_partitions'));
    IF EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relname = part AND relnamespace = home) THEN
        RETURN;
    END IF;
    -- One that is there and not attached was detached by retention and not dropped yet.
    EXECUTE format('DROP TABLE IF EXISTS %I', part);
    EXECUTE format('CREATE TABLE %I (LIKE blink_data INCLUDING ALL)', part);
    EXECUTE format(
        'ALTER TABLE blink_data ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, month_from, month_to
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

CREATE TABLE teams (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    manager_id UUID REFERENCES users (id) ON DELETE SET NULL,
    timezone TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX teams_by_manager ON teams (manager_id);

-- Who has not accepted is only invited, and counts nowhere.
CREATE TABLE team_members (
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    invited_at TIMESTAMPTZ NOT NULL,
    accepted_at TIMESTAMPTZ,
    -- What the manager typed, an address or an id: until somebody accepts, the team sees no more of them than that.
    invited_as TEXT,
    PRIMARY KEY (team_id, user_id)
);

CREATE UNIQUE INDEX team_members_one_team ON team_members (user_id) WHERE accepted_at IS NOT NULL;

-- Written once, 48 hours after the week, and never again. No figure where it is suppressed.
CREATE TABLE team_weeks (
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    week_from TIMESTAMPTZ NOT NULL,
    week_to TIMESTAMPTZ NOT NULL,
    blinks_per_minute INTEGER,
    PRIMARY KEY (team_id, week_from)
);

-- Trays that wait to be signed in from a browser (RFC 8628). Of the device's code only its SHA-256 is kept.
CREATE TABLE device_codes (
    code_hash BYTEA NOT NULL PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    device_name TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    polled_at TIMESTAMPTZ,
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    denied BOOLEAN NOT NULL,
    -- An approval ends with the session that gave it.
    session_id UUID REFERENCES sessions (id) ON DELETE CASCADE
);

CREATE INDEX device_codes_by_user ON device_codes (user_id);
CREATE INDEX device_codes_by_session ON device_codes (session_id);

-- People as an OpenID provider knows them.
CREATE TABLE oidc_identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX oidc_identities_by_user ON oidc_identities (user_id);

-- Sign-ins that are on their way through the provider; of `state` only its SHA-256 is kept.
CREATE TABLE oidc_logins (
    state_hash BYTEA NOT NULL PRIMARY KEY,
    verifier TEXT NOT NULL,
    nonce TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- One key for each person, sealed with the master key; without a person it is the server's own, for a month of its log.
-- Whoever destroys the row makes everything that was sealed with it unreadable, wherever it is.
CREATE TABLE archive_keys (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    leased_until TIMESTAMPTZ NOT NULL
);

-- Batches on their way into the archive, sealed already, written in the transaction that stores their minutes.
CREATE TABLE archive_queue (
    id UUID NOT NULL PRIMARY KEY,
    key_id UUID NOT NULL REFERENCES archive_keys (id) ON DELETE CASCADE,
    queued_at TIMESTAMPTZ NOT NULL,
    oldest_at TIMESTAMPTZ NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    payload BYTEA NOT NULL
);

-- What is sealed does not compress.
ALTER TABLE archive_queue ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE INDEX archive_queue_by_key ON archive_queue (key_id, queued_at);

-- Objects of the archive. A row is there before its object, so that none is ever forgotten.
CREATE TABLE archive_objects (
    id UUID NOT NULL PRIMARY KEY,
    key_id UUID NOT NULL,
    bucket TEXT NOT NULL CHECK (bucket IN ('data', 'logs')),
    name TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    oldest_at TIMESTAMPTZ NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    written BOOLEAN NOT NULL
);

CREATE INDEX archive_objects_by_key ON archive_objects (key_id, created_at);
CREATE INDEX archive_objects_by_time ON archive_objects (oldest_at);
CREATE INDEX archive_objects_unfinished ON archive_objects (created_at) WHERE NOT written;

-- Objects that must go, tried again until they are gone.
CREATE TABLE archive_removals (
    id UUID NOT NULL PRIMARY KEY,
    bucket TEXT NOT NULL CHECK (bucket IN ('data', 'logs')),
    name TEXT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    erasure_id UUID
);

CREATE INDEX archive_removals_by_time ON archive_removals (due_at);
CREATE INDEX archive_removals_by_erasure ON archive_removals (erasure_id);

-- Receipts of erasures, in figures alone: they name nobody.
CREATE TABLE erasures (
    id UUID NOT NULL PRIMARY KEY,
    erased_at TIMESTAMPTZ NOT NULL,
    stores TEXT NOT NULL
);

-- What the server did of itself, and when by its clock: the last retention, since when it doubts the clock, when the
-- attendance desk last worked, and the last write that was made to see whether it can write.
CREATE TABLE housekeeping (
    what TEXT NOT NULL PRIMARY KEY CHECK (what IN ('retention', 'doubt', 'probe', 'desk')),
    at TIMESTAMPTZ NOT NULL
);

-- People of the attendance desk, with or without an account. `uid` names them where their id must not be: in the log and
-- in the ledger. Whoever destroys `sealed_key` makes their encodings and their photo unreadable.
CREATE TABLE attendance_people (
    id TEXT NOT NULL PRIMARY KEY,
    uid UUID NOT NULL UNIQUE,
    user_id UUID UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    enrolled_on DATE NOT NULL,
    registered_at TIMESTAMPTZ NOT NULL,
    leaderboard BOOLEAN NOT NULL,
    pin_hash TEXT,
    sealed_key BYTEA,
    photo BYTEA,
    -- The version of the gallery that changed the person's encodings last.
    changed_in BIGINT NOT NULL
);

-- What the gallery of encodings was changed by last. Every change takes the next number while it holds the row, so that
-- numbers become visible in their order, and a replica that has seen one has seen all before it.
CREATE TABLE attendance_gallery (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);

INSERT INTO attendance_gallery (one, version) VALUES (1, 0);

-- Faces as numbers, several of each person, sealed with the person's key.
CREATE TABLE attendance_encodings (
    id UUID NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    made_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX attendance_encodings_by_person ON attendance_encodings (person);

-- Consents to biometrics of people at the desk, each with the account of who took it.
CREATE TABLE attendance_consents (
    id UUID NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    granted BOOLEAN NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    taken_by UUID REFERENCES users (id) ON DELETE SET NULL
);

CREATE INDEX attendance_consents_by_person ON attendance_consents (person, at);
CREATE INDEX attendance_consents_by_taker ON attendance_consents (taken_by);

-- One record for each person and day. Days are those of the organisation's time zone.
CREATE TABLE attendance_records (
    id UUID NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    day DATE NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('present', 'late', 'absent', 'unknown')),
    confidence INTEGER CHECK (confidence BETWEEN 0 AND 100),
    liveness_verified BOOLEAN NOT NULL,
    session_id UUID,
    source TEXT NOT NULL CHECK (source IN ('face', 'pin', 'qr', 'manager', 'import')),
    UNIQUE (person, day)
);

CREATE INDEX attendance_records_by_day ON attendance_records (day, person);

-- What managers changed, and why. The person sees it.
CREATE TABLE attendance_corrections (
    id UUID NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    day DATE NOT NULL,
    record_id UUID NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    made_by UUID REFERENCES users (id) ON DELETE SET NULL,
    status_before TEXT,
    at_before TIMESTAMPTZ,
    status_after TEXT,
    at_after TIMESTAMPTZ,
    reason TEXT NOT NULL
);

CREATE INDEX attendance_corrections_by_person ON attendance_corrections (person, day);
CREATE INDEX attendance_corrections_by_maker ON attendance_corrections (made_by);
CREATE INDEX attendance_corrections_by_day ON attendance_corrections (day);

-- Days on which a person tried and was refused: unknown, and no absence, until a manager decides.
CREATE TABLE attendance_refusals (
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    day DATE NOT NULL,
    tries INTEGER NOT NULL,
    last_reason TEXT NOT NULL,
    last_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (person, day)
);

CREATE INDEX attendance_refusals_by_day ON attendance_refusals (day);

-- Days on which the desk did not work during working hours: unknown for everybody without a record.
CREATE TABLE attendance_outages (
    day DATE NOT NULL PRIMARY KEY,
    since TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL
);

-- Challenges that were given out, each for one use by one session.
CREATE TABLE attendance_challenges (
    id UUID NOT NULL PRIMARY KEY,
    session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    cues_ms TEXT NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used BOOLEAN NOT NULL
);

CREATE INDEX attendance_challenges_by_session ON attendance_challenges (session_id);
CREATE INDEX attendance_challenges_by_expiry ON attendance_challenges (expires_at);

-- What stands for a person's days, packed by month (12 to a year, four bytes a day) and kept in the transactions that
-- change records, so that figures of a million records are quick.
CREATE TABLE attendance_months (
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    days BYTEA NOT NULL,
    PRIMARY KEY (month, person)
);

CREATE INDEX attendance_months_by_person ON attendance_months (person);
