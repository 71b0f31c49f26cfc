DROP TABLE blink_rollups;
DROP TABLE blink_data;
