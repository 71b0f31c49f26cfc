-- What the server did of itself, and when by its clock: the last retention, since when it doubts the clock, when the
-- attendance desk last worked, and the last write that was made to see whether it can write.
CREATE TABLE housekeeping (
    what TEXT NOT NULL PRIMARY KEY CHECK (what IN ('retention', 'doubt', 'probe', 'desk')),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
