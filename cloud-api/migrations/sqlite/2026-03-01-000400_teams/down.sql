DROP TABLE team_weeks;
DROP TABLE team_members;
DROP TABLE teams;
