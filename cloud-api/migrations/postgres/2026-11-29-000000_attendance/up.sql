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
    PRIMARY KEY (person, month)
);

CREATE INDEX attendance_months_by_month ON attendance_months (month);
