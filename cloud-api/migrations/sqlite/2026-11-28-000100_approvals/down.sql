ALTER TABLE team_members DROP COLUMN invited_as;
-- SQLite drops no column that references another table. Codes live ten minutes: the devices ask anew.
DROP TABLE device_codes;
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
