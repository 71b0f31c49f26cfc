-- Distributes minutes and their sums by person on Citus. Run it once at the coordinator, after `cloud-api migrate`, as the
-- owner of the tables: psql "$DATABASE_URL" -v ON_ERROR_STOP=1 -f citus.sql
--
-- Everything else stays at the coordinator. Accounts must never be reference tables: an upload locks its person's row, and
-- on a reference table that lock is one for the whole cluster, which deadlocks with itself.
SELECT create_distributed_table('blink_data', 'user_id');
SELECT create_distributed_table('blink_rollups', 'user_id', colocate_with => 'blink_data');
