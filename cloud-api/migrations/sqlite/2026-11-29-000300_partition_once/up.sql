-- SQLite has no partitions; both databases have the same versions.
SELECT 1;
