ALTER TABLE devices DROP COLUMN user_agent;
