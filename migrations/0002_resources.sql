-- What is deleted stays until its executions have been taken away, a few at a time.
ALTER TABLE programs ADD COLUMN deleted_at INTEGER;
ALTER TABLE pipelines ADD COLUMN deleted_at INTEGER;

ALTER TABLE pipelines ADD COLUMN cache_invalidated_at INTEGER;

CREATE TABLE variables (
    program_id INTEGER NOT NULL REFERENCES programs (id) ON DELETE CASCADE,
    owner      TEXT    NOT NULL CHECK (owner IN ('pipeline', 'environment')),
    owner_id   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    service    TEXT    NOT NULL,         -- empty for all services
    type       TEXT    NOT NULL,
    value      TEXT    NOT NULL,         -- of a secret: encrypted, in base64
    PRIMARY KEY (program_id, owner, owner_id, name, service)
) STRICT, WITHOUT ROWID;

-- Which execution built the artifacts of a commit.
CREATE TABLE builds (
    program_id   INTEGER NOT NULL REFERENCES programs (id) ON DELETE CASCADE,
    repository   TEXT    NOT NULL,
    commit_id    TEXT    NOT NULL,
    execution_id INTEGER NOT NULL,       -- it may have been deleted since
    version      TEXT    NOT NULL,
    PRIMARY KEY (program_id, repository, commit_id)
) STRICT, WITHOUT ROWID;

-- Executions are deleted together with their events.
CREATE INDEX events_by_execution ON events (execution_id);
