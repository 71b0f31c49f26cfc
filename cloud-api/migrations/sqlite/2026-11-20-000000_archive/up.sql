-- One key for each person, sealed with the master key; without a person it is the server's own, for a month of its log.
-- Whoever destroys the row makes everything that was sealed with it unreadable, wherever it is.
CREATE TABLE archive_keys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    leased_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Batches on their way into the archive, sealed already, written in the transaction that stores their minutes.
CREATE TABLE archive_queue (
    id TEXT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES archive_keys (id) ON DELETE CASCADE,
    queued_at INTEGER NOT NULL,
    oldest_at INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;

CREATE INDEX archive_queue_by_key ON archive_queue (key_id, queued_at);

-- Objects of the archive. A row is there before its object, so that none is ever forgotten.
CREATE TABLE archive_objects (
    id TEXT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL,
    bucket TEXT NOT NULL CHECK (bucket IN ('data', 'logs')),
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    oldest_at INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    written INTEGER NOT NULL CHECK (written IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX archive_objects_by_key ON archive_objects (key_id, created_at);
CREATE INDEX archive_objects_by_time ON archive_objects (oldest_at);
CREATE INDEX archive_objects_unfinished ON archive_objects (created_at) WHERE NOT written;

-- Objects that must go, tried again until they are gone.
CREATE TABLE archive_removals (
    id TEXT NOT NULL PRIMARY KEY,
    bucket TEXT NOT NULL CHECK (bucket IN ('data', 'logs')),
    name TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    erasure_id TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX archive_removals_by_time ON archive_removals (due_at);
CREATE INDEX archive_removals_by_erasure ON archive_removals (erasure_id);

-- Receipts of erasures, in figures alone: they name nobody.
CREATE TABLE erasures (
    id TEXT NOT NULL PRIMARY KEY,
    erased_at INTEGER NOT NULL,
    stores TEXT NOT NULL
) STRICT, WITHOUT ROWID;
