-- Analytics read a range of months of everybody, which are beside each other in the file now.
CREATE TABLE attendance_months_new (
    person TEXT NOT NULL REFERENCES attendance_people (id) ON DELETE CASCADE,
    month INTEGER NOT NULL,
    days BLOB NOT NULL,
    PRIMARY KEY (month, person)
) STRICT, WITHOUT ROWID;

INSERT INTO attendance_months_new (person, month, days) SELECT person, month, days FROM attendance_months;
DROP TABLE attendance_months;
ALTER TABLE attendance_months_new RENAME TO attendance_months;

CREATE INDEX attendance_months_by_person ON attendance_months (person);
