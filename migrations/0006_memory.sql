-- What deployments have done to the instances of an environment. Environments without a row are as
-- provisioned.
CREATE TABLE environment_memories (
    program_id     INTEGER NOT NULL,
    environment_id INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,     -- every change up to and including this time is in it
    instances      TEXT    NOT NULL,     -- JSON: the instances that deployments have changed, by name
    deployments    TEXT    NOT NULL,     -- JSON: execution and step of those that may change more
    most           INTEGER NOT NULL,     -- how many of them there may be until they are put in
    PRIMARY KEY (program_id, environment_id),
    FOREIGN KEY (program_id, environment_id) REFERENCES environments (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
