-- Trays that wait to be signed in from a browser (RFC 8628). Of the device's code only its SHA-256 is kept.
CREATE TABLE device_codes (
    code_hash BLOB NOT NULL PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    device_name TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    polled_at INTEGER,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    denied INTEGER NOT NULL CHECK (denied IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX device_codes_by_user ON device_codes (user_id);
