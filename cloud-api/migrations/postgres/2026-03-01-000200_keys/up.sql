-- Keys that sign tokens. `secret` is sealed with the master key where `sealed` says so.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL,
    secret BYTEA NOT NULL,
    sealed BOOLEAN NOT NULL
);
