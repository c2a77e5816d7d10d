-- What environments remember, what builds leave, what a rollback starts from, and the keys of tokens.

-- Plans are deleted together with the last execution that has them.
CREATE INDEX executions_by_plan ON executions (plan_id);

DELETE FROM plans WHERE NOT EXISTS (SELECT 1 FROM executions WHERE plan_id = plans.id);

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

-- The files that builds leave and that are not generated. Each content is stored once.
CREATE TABLE contents (
    id       INTEGER PRIMARY KEY,
    digest   BLOB    NOT NULL,           -- SHA-256
    size     INTEGER NOT NULL,           -- in bytes
    md5      TEXT    NOT NULL,
    kind     TEXT    NOT NULL,           -- JSON: what it is to a deployment
    complete INTEGER NOT NULL CHECK (complete IN (0, 1))  -- whether all chunks are there
) STRICT;

CREATE UNIQUE INDEX contents_by_digest ON contents (digest) WHERE complete = 1;

CREATE TABLE chunks (
    content_id INTEGER NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
    number     INTEGER NOT NULL,         -- from 0; all but the last have the same length
    bytes      BLOB    NOT NULL,
    PRIMARY KEY (content_id, number)
) STRICT;

-- The files that later builds of a commit leave.
CREATE TABLE uploads (
    program_id    INTEGER NOT NULL,
    repository_id INTEGER NOT NULL,
    commit_id     TEXT    NOT NULL,
    file          TEXT    NOT NULL,
    content_id    INTEGER NOT NULL REFERENCES contents (id),
    PRIMARY KEY (program_id, repository_id, commit_id, file),
    FOREIGN KEY (program_id, repository_id) REFERENCES repositories (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_by_content ON uploads (content_id);

-- The contents that a plan names.
CREATE TABLE plan_contents (
    plan_id    INTEGER NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    content_id INTEGER NOT NULL REFERENCES contents (id),
    PRIMARY KEY (plan_id, content_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX plan_contents_by_content ON plan_contents (content_id);

-- JSON: what a build leaves; the demo's three files if absent.
ALTER TABLE repositories ADD COLUMN outputs TEXT;

-- Which execution built the artifacts of a commit, for each list of what is to be built.
CREATE TABLE new_builds (
    program_id   INTEGER NOT NULL REFERENCES programs (id) ON DELETE CASCADE,
    repository   TEXT    NOT NULL,
    commit_id    TEXT    NOT NULL,
    outputs      TEXT    NOT NULL,       -- SHA-256 of the list; empty for the demo's three files
    execution_id INTEGER NOT NULL,       -- it may have been deleted since
    version      TEXT    NOT NULL,
    PRIMARY KEY (program_id, repository, commit_id, outputs)
) STRICT, WITHOUT ROWID;

INSERT INTO new_builds
SELECT program_id, repository, commit_id, '', execution_id, version FROM builds;

DROP TABLE builds;
ALTER TABLE new_builds RENAME TO builds;

-- What a rollback and an update by Adobe start from: the newest successes of each pipeline. They are
-- kept here because finding them among the executions takes longer the more there are.
CREATE TABLE successes (
    program_id  INTEGER NOT NULL,
    pipeline_id INTEGER NOT NULL,
    last_id     INTEGER NOT NULL,        -- the newest execution that has finished
    built_by    INTEGER NOT NULL,        -- the execution that built its artifacts
    other_id    INTEGER,                 -- the newest one that has finished with other artifacts
    PRIMARY KEY (program_id, pipeline_id),
    FOREIGN KEY (program_id, pipeline_id) REFERENCES pipelines (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

INSERT INTO successes
WITH origins AS MATERIALIZED (
    SELECT id AS plan_id, body ->> '$.code.built_by.execution_id' AS built_by FROM plans
), finished AS (
    SELECT program_id, pipeline_id, sequence, id, coalesce(built_by, id) AS built_by
    FROM executions JOIN origins USING (plan_id) WHERE status = 'FINISHED'
), newest AS (
    SELECT program_id, pipeline_id, max(sequence), id, built_by FROM finished
    GROUP BY program_id, pipeline_id
)
SELECT program_id, pipeline_id, id, built_by,
       (SELECT other.id FROM finished AS other
        WHERE other.program_id = newest.program_id AND other.pipeline_id = newest.pipeline_id
          AND other.built_by <> newest.built_by
        ORDER BY other.sequence DESC LIMIT 1)
FROM newest;

-- Finds the pending deliveries of one queue, however many the subscriber has in others.
CREATE INDEX pending_deliveries ON deliveries (webhook_id, execution_id) WHERE status = 'PENDING';

-- RSA keys, made when they are first needed. They belong to the database file, not to the state in
-- it: they are not exported, and stay where the state is replaced.
CREATE TABLE keys (
    name  TEXT PRIMARY KEY,
    pkcs8 BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The certificate of a service account, PEM.
ALTER TABLE clients ADD COLUMN certificate TEXT;

-- The executions of a program, newest first, with any status or with one.
CREATE INDEX executions_by_status ON executions (program_id, status, created_at, id);

-- The steps of executions, for people who look into the database. A step that has not begun is not
-- in the timeline, whose times are milliseconds since the execution's creation.
DROP VIEW step_states;
CREATE VIEW step_states AS
WITH steps AS (
    SELECT executions.id                               AS execution,
           step.value ->> 'action'                     AS action,
           executions.created_at                       AS created_at,
           executions.timeline -> CAST(step.key AS INTEGER) AS state
    FROM executions
    JOIN plans ON plans.id = executions.plan_id
    JOIN json_each(plans.body, '$.steps') AS step
)
SELECT execution,
       action,
       CASE
           WHEN state IS NULL THEN 'NOT_STARTED'
           WHEN state -> 'r' IS NOT NULL THEN 'RUNNING'
           WHEN state -> 'w' IS NOT NULL THEN 'WAITING'
           ELSE state ->> '$.e[0]'
       END AS status,
       strftime('%Y-%m-%dT%H:%M:%f+0000',
           (created_at + coalesce(state ->> '$.e[1]', state ->> '$.r[0]', state ->> '$.w[0]')) / 1000.0,
           'unixepoch') AS started,
       strftime('%Y-%m-%dT%H:%M:%f+0000', (created_at + (state ->> '$.e[2]')) / 1000.0,
           'unixepoch') AS finished
FROM steps;
