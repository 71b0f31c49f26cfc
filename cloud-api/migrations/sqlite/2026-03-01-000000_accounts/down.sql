DROP TABLE one_time_tokens;
DROP TABLE devices;
DROP TABLE sessions;
DROP TABLE consents;
DROP TABLE users;
