-- Makes the partition of the UTC month that holds `instant`, once, whoever else is trying. Attached afterwards, because
-- CREATE .. PARTITION OF would wait for everybody who reads the table, and everybody else for it. Whether it is there is
-- read from the catalogue's rows: to_regclass may answer from what the session knew before it waited for the lock, and a
-- partition that another had made meanwhile would be dropped with its minutes.
CREATE OR REPLACE FUNCTION ensure_blink_partition(instant TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    month_from TIMESTAMPTZ := date_trunc('month', instant, 'UTC');
    month_to TIMESTAMPTZ := date_trunc('month', month_from + INTERVAL '32 days', 'UTC');
    home OID := (SELECT relnamespace FROM pg_class WHERE oid = 'blink_data'::regclass);
    part TEXT := 'blink_data_' || to_char(month_from AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relname = part AND relnamespace = home) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('blink_data_partitions'));
    IF EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relname = part AND relnamespace = home) THEN
        RETURN;
    END IF;
    -- One that is there and not attached was detached by retention and not dropped yet.
    EXECUTE format('DROP TABLE IF EXISTS %I', part);
    EXECUTE format('CREATE TABLE %I (LIKE blink_data INCLUDING ALL)', part);
    EXECUTE format(
        'ALTER TABLE blink_data ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part, month_from, month_to
    );
END
$$;
