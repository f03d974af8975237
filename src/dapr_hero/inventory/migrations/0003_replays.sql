-- A replay is marked after its publication, so a letter is either kept or replayed.
UPDATE dead_letters SET state = 'kept' WHERE state = 'replaying';
ALTER TABLE dead_letters DROP CONSTRAINT dead_letters_state_check;
ALTER TABLE dead_letters ADD CONSTRAINT dead_letters_state_check CHECK (state IN ('kept', 'replayed'));
