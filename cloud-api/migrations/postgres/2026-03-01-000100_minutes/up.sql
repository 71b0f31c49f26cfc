-- `id` names the record and never decides identity: that is (user_id, device_id, from_timestamp).
-- No foreign key to users: ingest locks the person's row in the statement that stores the minutes, once for a batch
-- and not once for a row, and erasure deletes from here by name.
CREATE TABLE blink_data (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    blink_count INTEGER NOT NULL,
    from_timestamp TIMESTAMPTZ NOT NULL,
    to_timestamp TIMESTAMPTZ NOT NULL,
    device_id UUID NOT NULL,
    observed_ms INTEGER NOT NULL,
    mean_fps DOUBLE PRECISION NOT NULL,
    quality TEXT NOT NULL CHECK (quality IN ('good', 'insufficient')),
    mean_blink_ms DOUBLE PRECISION,
    incomplete_share DOUBLE PRECISION,
    perclos DOUBLE PRECISION,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, from_timestamp, device_id)
) PARTITION BY RANGE (from_timestamp);

-- Sums of a quarter of an hour, kept by the statement that stores the minutes: every modern time zone's offset is a
-- multiple of it, so hours, days and weeks of any zone are sums of these.
CREATE TABLE blink_rollups (
    user_id UUID NOT NULL,
    slot_from TIMESTAMPTZ NOT NULL,
    blink_count BIGINT NOT NULL,
    observed_ms BIGINT NOT NULL,
    minutes INTEGER NOT NULL,
    PRIMARY KEY (user_id, slot_from)
);

-- Makes the partition of the UTC month that holds `instant`, once, whoever else is trying.
CREATE FUNCTION ensure_blink_partition(instant TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    month_from TIMESTAMPTZ := date_trunc('month', instant, 'UTC');
    month_to TIMESTAMPTZ := date_trunc('month', month_from + INTERVAL '32 days', 'UTC');
    part TEXT := 'blink_data_' || to_char(month_from AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(part) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('blink_data_partitions'));
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF blink_data FOR VALUES FROM (%L) TO (%L)', part, month_from, month_to
    );
END
$$;
