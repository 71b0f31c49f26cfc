-- The program that last sent a device's minutes, with its version.
ALTER TABLE devices ADD COLUMN user_agent TEXT;
