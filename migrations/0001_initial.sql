-- Times are integer milliseconds since the Unix epoch, emulated unless a comment says otherwise.

CREATE TABLE emulator (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    clock_base        INTEGER NOT NULL,  -- the emulated time ...
    clock_wall_base   INTEGER NOT NULL,  -- ... at this wall-clock time
    clock_rate        REAL    NOT NULL,  -- emulated milliseconds per real one
    seen_at           INTEGER NOT NULL,  -- the latest emulated time that a commit was made at
    next_execution_id INTEGER NOT NULL,
    file_token_key    BLOB    NOT NULL   -- signs the tokens of log and artifact addresses
) STRICT;

CREATE TABLE tenants (
    id            INTEGER PRIMARY KEY,
    ims_org_id    TEXT    NOT NULL UNIQUE,
    ims_tenant_id TEXT    NOT NULL
) STRICT;

CREATE TABLE clients (
    client_id            TEXT PRIMARY KEY,
    client_secret        TEXT    NOT NULL,
    technical_account_id TEXT    NOT NULL,
    tenant_id            INTEGER NOT NULL REFERENCES tenants (id),
    roles                TEXT    NOT NULL   -- JSON array
) STRICT, WITHOUT ROWID;

CREATE TABLE programs (
    id                        INTEGER PRIMARY KEY,
    tenant_id                 INTEGER NOT NULL REFERENCES tenants (id),
    name                      TEXT    NOT NULL,
    type                      TEXT    NOT NULL,
    emergency_mode            INTEGER NOT NULL,
    kpi_response_time         REAL    NOT NULL,
    kpi_page_views_per_minute REAL    NOT NULL,
    created_at                INTEGER NOT NULL,
    updated_at                INTEGER NOT NULL
) STRICT;

CREATE TABLE environments (
    program_id   INTEGER NOT NULL REFERENCES programs (id) ON DELETE CASCADE,
    id           INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    description  TEXT,
    type         TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    authors      INTEGER NOT NULL,
    pairs        INTEGER NOT NULL,
    cold_standby INTEGER NOT NULL,
    PRIMARY KEY (program_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE repositories (
    program_id  INTEGER NOT NULL REFERENCES programs (id) ON DELETE CASCADE,
    id          INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT,
    PRIMARY KEY (program_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE heads (
    program_id    INTEGER NOT NULL,
    repository_id INTEGER NOT NULL,
    name          TEXT    NOT NULL,   -- a branch, or refs/tags/…
    commit_id     TEXT    NOT NULL,
    PRIMARY KEY (program_id, repository_id, name),
    FOREIGN KEY (program_id, repository_id) REFERENCES repositories (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE pipelines (
    program_id         INTEGER NOT NULL REFERENCES programs (id) ON DELETE CASCADE,
    id                 INTEGER NOT NULL,
    name               TEXT    NOT NULL,
    trigger            TEXT    NOT NULL,
    important_failures TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    PRIMARY KEY (program_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE phases (
    program_id       INTEGER NOT NULL,
    pipeline_id      INTEGER NOT NULL,
    position         INTEGER NOT NULL,
    id               INTEGER NOT NULL,
    name             TEXT    NOT NULL,
    type             TEXT    NOT NULL,
    repository_id    INTEGER,            -- BUILD
    branch           TEXT,               -- BUILD
    environment_id   INTEGER,            -- DEPLOY; the environment may have been deleted since
    environment_type TEXT,               -- DEPLOY
    PRIMARY KEY (program_id, pipeline_id, position),
    UNIQUE (program_id, pipeline_id, id),
    FOREIGN KEY (program_id, pipeline_id) REFERENCES pipelines (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE steps (
    program_id     INTEGER NOT NULL,
    pipeline_id    INTEGER NOT NULL,
    phase_position INTEGER NOT NULL,
    position       INTEGER NOT NULL,
    id             INTEGER NOT NULL,
    action         TEXT    NOT NULL,
    options        TEXT    NOT NULL,     -- JSON
    PRIMARY KEY (program_id, pipeline_id, phase_position, position),
    UNIQUE (program_id, pipeline_id, id),
    FOREIGN KEY (program_id, pipeline_id, phase_position)
        REFERENCES phases (program_id, pipeline_id, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE scenarios (
    program_id  INTEGER NOT NULL,
    pipeline_id INTEGER NOT NULL,
    times       INTEGER,                 -- executions that it still holds for; absent: no end
    steps       TEXT    NOT NULL,        -- JSON
    PRIMARY KEY (program_id, pipeline_id),
    FOREIGN KEY (program_id, pipeline_id) REFERENCES pipelines (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE webhooks (
    id            INTEGER PRIMARY KEY,
    tenant_id     INTEGER NOT NULL REFERENCES tenants (id),
    client_id     TEXT    NOT NULL,
    client_secret TEXT    NOT NULL,
    url           TEXT    NOT NULL,
    events        TEXT    NOT NULL       -- JSON array of event names, or ["all"]
) STRICT;

-- What executions that would go alike have in common, frozen when the first of them starts.
CREATE TABLE plans (
    id     INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,         -- SHA-256 of the body
    body   TEXT NOT NULL                 -- JSON
) STRICT;

CREATE TABLE executions (
    id          INTEGER PRIMARY KEY,
    program_id  INTEGER NOT NULL,
    pipeline_id INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,        -- without gaps within the pipeline; greater is newer
    plan_id     INTEGER NOT NULL REFERENCES plans (id),
    trigger     TEXT    NOT NULL,
    mode        TEXT    NOT NULL,
    user        TEXT,
    source_id   INTEGER,                 -- the execution whose artifacts it copies
    status      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    finished_at INTEGER,
    due_at      INTEGER,                 -- when time alone will next change it
    timeline    TEXT    NOT NULL,        -- JSON: the states of the steps that have begun
    FOREIGN KEY (program_id, pipeline_id) REFERENCES pipelines (program_id, id) ON DELETE CASCADE
) STRICT;

CREATE UNIQUE INDEX executions_by_sequence ON executions (program_id, pipeline_id, sequence);
CREATE UNIQUE INDEX one_running_execution ON executions (program_id, pipeline_id)
    WHERE finished_at IS NULL;
CREATE INDEX executions_by_due_at ON executions (due_at, id) WHERE due_at IS NOT NULL;

-- What subscribers are to be told, written with the change that it tells of.
CREATE TABLE events (
    number       INTEGER PRIMARY KEY,
    webhook_id   INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    execution_id INTEGER NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    step         INTEGER,                -- position of the step, for the events of steps
    kind         TEXT    NOT NULL,
    published_at INTEGER NOT NULL
) STRICT;

-- Step states as rows, for people who look into the database.
CREATE VIEW step_states AS
SELECT executions.id                                  AS execution_id,
       step.key                                       AS position,
       plans.body ->> ('$.steps[' || step.key || '].action') AS action,
       step.value                                     AS state
FROM executions
JOIN plans ON plans.id = executions.plan_id
JOIN json_each(executions.timeline) AS step;
