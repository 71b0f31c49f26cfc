-- Analytics read a range of months of everybody.
ALTER TABLE attendance_months DROP CONSTRAINT attendance_months_pkey, ADD PRIMARY KEY (month, person);
DROP INDEX attendance_months_by_month;
CREATE INDEX attendance_months_by_person ON attendance_months (person);
