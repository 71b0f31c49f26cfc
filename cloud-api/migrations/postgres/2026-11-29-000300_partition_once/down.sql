-- Makes the partition of the UTC month that holds `instant`, once, whoever else is trying. Attached afterwards, because
-- CREATE .. PARTITION OF would wait for everybody who reads the table, and everybody else for it.
CREATE OR REPLACE FUNCTION ensure_blink_partition(instant TIMESTAMPTZ) RETURNS VOID LANGUAGE plpgsql AS $$
DECLARE
    month_from TIMESTAMPTZ := date_trunc('month', instant, 'UTC');
    month_to TIMESTAMPTZ := date_trunc('month', month_from + INTERVAL '32 days', 'UTC');
    part TEXT := 'blink_data_' || to_char(month_from AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(part)) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('blink_data_partitions'));
    IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(part)) THEN
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
