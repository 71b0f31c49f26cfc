DROP FUNCTION ensure_blink_partition(TIMESTAMPTZ);
DROP TABLE blink_rollups;
DROP TABLE blink_data;
