DROP TABLE devices;
DROP TABLE sessions;
DROP TABLE consents;
DROP TABLE users;
