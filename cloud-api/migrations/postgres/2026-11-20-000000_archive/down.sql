DROP TABLE erasures;
DROP TABLE archive_removals;
DROP TABLE archive_objects;
DROP TABLE archive_queue;
DROP TABLE archive_keys;
