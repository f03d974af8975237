-- Events that could not be stored. `key` is a digest of the event without what Dapr adds to it, so that an event
-- that comes again is the same letter.
CREATE TABLE dead_letters (
    key         text PRIMARY KEY,
    state       text NOT NULL CHECK (state IN ('kept', 'replaying', 'replayed')),
    reason      text NOT NULL,
    event_id    text,
    event_type  text,
    traceparent text,
    original    bytea NOT NULL,
    attempts    integer NOT NULL DEFAULT 1,
    first_at    timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_letters_by_time ON dead_letters (state, last_at, key);
