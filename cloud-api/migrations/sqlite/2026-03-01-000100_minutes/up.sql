-- `id` names the record and never decides identity: that is (user_id, device_id, from_timestamp).
CREATE TABLE blink_data (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    blink_count INTEGER NOT NULL,
    from_timestamp INTEGER NOT NULL,
    to_timestamp INTEGER NOT NULL,
    device_id TEXT NOT NULL,
    observed_ms INTEGER NOT NULL,
    mean_fps REAL NOT NULL,
    quality TEXT NOT NULL CHECK (quality IN ('good', 'insufficient')),
    mean_blink_ms REAL,
    incomplete_share REAL,
    perclos REAL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, from_timestamp, device_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX blink_data_by_time ON blink_data (from_timestamp);

-- Sums of a quarter of an hour, kept in the transaction that stores the minutes: every modern time zone's offset is a
-- multiple of it, so hours, days and weeks of any zone are sums of these.
CREATE TABLE blink_rollups (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    slot_from INTEGER NOT NULL,
    blink_count INTEGER NOT NULL,
    observed_ms INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    PRIMARY KEY (user_id, slot_from)
) STRICT, WITHOUT ROWID;
