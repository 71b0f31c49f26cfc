-- Sign-in attempts of an address or an account; `key` is a keyed hash of it.
CREATE TABLE sign_in_attempts (
    key BLOB NOT NULL PRIMARY KEY,
    window_from INTEGER NOT NULL,
    attempts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
