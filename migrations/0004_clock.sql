-- No emulated time after this one has been told, and none before it is told after a restart. It lies
-- ahead of the time while the clock runs. The default is the earliest time that can be written.
ALTER TABLE emulator ADD COLUMN told_until INTEGER NOT NULL DEFAULT -62135596800000;
