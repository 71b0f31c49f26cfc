-- An approval ends with the session that gave it.
ALTER TABLE device_codes ADD COLUMN session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE;

CREATE INDEX device_codes_by_session ON device_codes (session_id);

-- What the manager typed, an address or an id: until somebody accepts, the team sees no more of them than that.
ALTER TABLE team_members ADD COLUMN invited_as TEXT;
