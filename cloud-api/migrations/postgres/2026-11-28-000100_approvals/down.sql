ALTER TABLE team_members DROP COLUMN invited_as;
ALTER TABLE device_codes DROP COLUMN session_id;
