-- People of the attendance desk, with or without an account. `uid` names them where their id must not be: in the log and
-- in the ledger. Whoever destroys `sealed_key` makes their encodings and their photo unreadable.
CREATE TABLE attendance_people (
    id TEXT NOT NULL PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
    user_id TEXT UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    enrolled_on TEXT NOT NULL,
    registered_at INTEGER NOT NULL,
    leaderboard INTEGER NOT NULL CHECK (leaderboard IN (0, 1)),
    pin_hash TEXT,
    sealed_key BLOB,
    photo BLOB,
    -- The version of the gallery that changed the person's encodings last.
    changed_in INTEGER NOT NULL
) STRICT;

-- What the gallery of encodings was changed by last. Every change takes the next number while it holds the row, so that
-- numbers become visible in their order, and a replica that has seen one has seen all before it.
CREATE TABLE attendance_gallery (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO attendance_gallery (one, version) VALUES (1, 0);

-- Faces as numbers, several of each person, sealed with the person's key.
CREATE TABLE attendance_encodings (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    sealed BLOB NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

CREATE INDEX attendance_encodings_by_person ON attendance_encodings (person);

-- Consents to biometrics of people at the desk, each with the account of who took it.
CREATE TABLE attendance_consents (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
    at INTEGER NOT NULL,
    taken_by TEXT REFERENCES users (id) ON DELETE SET NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attendance_consents_by_person ON attendance_consents (person, at);
CREATE INDEX attendance_consents_by_taker ON attendance_consents (taken_by);

-- One record for each person and day. Days are those of the organisation's time zone.
CREATE TABLE attendance_records (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('present', 'late', 'absent', 'unknown')),
    confidence INTEGER CHECK (confidence BETWEEN 0 AND 100),
    liveness_verified INTEGER NOT NULL CHECK (liveness_verified IN (0, 1)),
    session_id TEXT,
    source TEXT NOT NULL CHECK (source IN ('face', 'pin', 'qr', 'manager', 'import')),
    UNIQUE (person, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX attendance_records_by_day ON attendance_records (day, person);

-- What managers changed, and why. The person sees it.
CREATE TABLE attendance_corrections (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    record_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    made_by TEXT REFERENCES users (id) ON DELETE SET NULL,
    status_before TEXT,
    at_before INTEGER,
    status_after TEXT,
    at_after INTEGER,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attendance_corrections_by_person ON attendance_corrections (person, day);
CREATE INDEX attendance_corrections_by_maker ON attendance_corrections (made_by);
CREATE INDEX attendance_corrections_by_day ON attendance_corrections (day);

-- Days on which a person tried and was refused: unknown, and no absence, until a manager decides.
CREATE TABLE attendance_refusals (
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    tries INTEGER NOT NULL,
    last_reason TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (person, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX attendance_refusals_by_day ON attendance_refusals (day);

-- Days on which the desk did not work during working hours: unknown for everybody without a record.
CREATE TABLE attendance_outages (
    day TEXT NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Challenges that were given out, each for one use by one session.
CREATE TABLE attendance_challenges (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    cues_ms TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL CHECK (used IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX attendance_challenges_by_session ON attendance_challenges (session_id);
CREATE INDEX attendance_challenges_by_expiry ON attendance_challenges (expires_at);

-- What stands for a person's days, packed by month (12 to a year, four bytes a day) and kept in the transactions that
-- change records, so that figures of a million records are quick.
CREATE TABLE attendance_months (
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    days BLOB NOT NULL,
    PRIMARY KEY (person, month)
) STRICT, WITHOUT ROWID;

CREATE INDEX attendance_months_by_month ON attendance_months (month);
