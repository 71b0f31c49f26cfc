-- Sign-in attempts of an address or an account; `key` is a keyed hash of it.
CREATE TABLE sign_in_attempts (
    key BYTEA NOT NULL PRIMARY KEY,
    window_from TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL
);
