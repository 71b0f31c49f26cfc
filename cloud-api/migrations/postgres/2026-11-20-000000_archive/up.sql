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
