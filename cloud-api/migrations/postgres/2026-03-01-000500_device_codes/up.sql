-- Trays that wait to be signed in from a browser (RFC 8628). Of the device's code only its SHA-256 is kept.
CREATE TABLE device_codes (
    code_hash BYTEA NOT NULL PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    device_name TEXT NOT NULL,
    address TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    polled_at TIMESTAMPTZ,
    user_id UUID REFERENCES users (id) ON DELETE CASCADE,
    denied BOOLEAN NOT NULL
);

CREATE INDEX device_codes_by_user ON device_codes (user_id);
