ALTER TABLE attendance_months DROP CONSTRAINT attendance_months_pkey, ADD PRIMARY KEY (person, month);
DROP INDEX attendance_months_by_person;
CREATE INDEX attendance_months_by_month ON attendance_months (month);
