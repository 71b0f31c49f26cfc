CREATE TABLE teams (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    manager_id UUID REFERENCES users (id) ON DELETE SET NULL,
    timezone TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX teams_by_manager ON teams (manager_id);

-- Who has not accepted is only invited, and counts nowhere.
CREATE TABLE team_members (
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    invited_at TIMESTAMPTZ NOT NULL,
    accepted_at TIMESTAMPTZ,
    PRIMARY KEY (team_id, user_id)
);

CREATE UNIQUE INDEX team_members_one_team ON team_members (user_id) WHERE accepted_at IS NOT NULL;

-- Written once, 48 hours after the week, and never again. No figure where it is suppressed.
CREATE TABLE team_weeks (
    team_id UUID NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    week_from TIMESTAMPTZ NOT NULL,
    week_to TIMESTAMPTZ NOT NULL,
    blinks_per_minute INTEGER,
    PRIMARY KEY (team_id, week_from)
);
