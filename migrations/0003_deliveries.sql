-- It signs the tokens of IMS, too.
ALTER TABLE emulator RENAME COLUMN file_token_key TO signing_key;

-- Nobody was ever told of these events.
DROP TABLE events;

-- What is deleted stays until its deliveries have been taken away, a few at a time.
ALTER TABLE webhooks ADD COLUMN deleted_at INTEGER;

-- What subscribers are told, written with the change that it tells of.
CREATE TABLE deliveries (
    id            INTEGER PRIMARY KEY,
    webhook_id    INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id      TEXT    NOT NULL,      -- the same for all subscribers
    kind          TEXT    NOT NULL,
    published_at  INTEGER NOT NULL,
    program_id    INTEGER NOT NULL,      -- this and what follows may have been deleted since
    pipeline_id   INTEGER NOT NULL,
    execution_id  INTEGER NOT NULL,
    phase_id      INTEGER,               -- for the events of steps
    step_id       INTEGER,               -- for the events of steps
    user          TEXT,
    status        TEXT    NOT NULL DEFAULT 'PENDING',
    round         INTEGER NOT NULL DEFAULT 1,  -- counts how often it was asked for
    failures      INTEGER NOT NULL DEFAULT 0,  -- how often it was tried in vain in this round ...
    failing_since INTEGER                      -- ... since when
) STRICT;

CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id);
CREATE INDEX deliveries_by_webhook_and_status ON deliveries (webhook_id, status);
CREATE INDEX deliveries_by_execution ON deliveries (execution_id);
CREATE INDEX deliveries_by_status ON deliveries (status);

-- The deliveries to a subscriber about an execution are made one after the other. There is a queue
-- for as long as any is pending.
CREATE TABLE queues (
    webhook_id   INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    execution_id INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,       -- when its first delivery is tried next
    PRIMARY KEY (webhook_id, execution_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX queues_by_due_at ON queues (webhook_id, due_at);

CREATE TABLE attempts (
    delivery_id INTEGER NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,        -- from 1
    at          INTEGER NOT NULL,
    status      INTEGER,                 -- of the answer
    error       TEXT,                    -- why there was no answer
    answer      TEXT,                    -- the beginning of an answer that was no success
    duration    INTEGER NOT NULL,        -- real milliseconds
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
